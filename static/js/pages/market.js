import { BandTable } from "../components/band-table.js";
import { BigOrders } from "../components/big-orders.js";
import { FlowChart } from "../components/flow-chart.js";
import { bindSwitch } from "../components/switch.js";
import { read, readBoth } from "../lib/api.js";
import { Bars, cumulate } from "../lib/bars.js";
import { money } from "../lib/format.js";
import { Live } from "../lib/live.js";

const CHUNK_MS = 6 * 3_600_000;
const root = document.querySelector("[data-market]");
const { symbol, kind: market } = root.dataset;
const find = (name) => root.querySelector(`[data-${name}]`);
const bars = new Bars();
const chosen = { unit: "trade", seconds: 60, anchor: "visible" };
const chart = new FlowChart(find("chart"), { onEdge: loadOlder, onMove: () => chosen.anchor === "visible" && drawSoon() });
const orders = new BigOrders(find("orders"), root.dataset);
const table = new BandTable(find("bands"), (name) => chart.toggle(name));
let isDue = false;
let isLoadingOlder = false;
let hasNoOlder = false;
let anchored;
let newest = 0;
const missing = new Map();

function draw() {
  isDue = false;
  const rolled = bars.rolled(chosen.unit, chosen.seconds);
  anchored = chosen.anchor === "visible" ? chart.firstVisible : chosen.anchor;
  const lines = cumulate(rolled, anchored);
  chart.draw(lines, chosen.seconds);
  table.draw(lines.at(-1));
  orders.draw();
  if (lines.length) root.classList.remove("is-loading");
  if (lines.length) find("price").textContent = money(lines.at(-1).close, 2);
}

/** However fast frames come, at most one drawing a screen frame. */
function drawSoon() {
  if (!isDue) requestAnimationFrame(draw);
  isDue = true;
}

function say(state, seconds) {
  const lag = state === "live" && newest ? ` · ${root.dataset.lag} ${Math.max(0, (Date.now() - newest) / 1_000).toFixed(1)} s` : "";
  find("state").dataset.now = state;
  find("state").textContent = root.dataset[state] + (seconds ? ` ${seconds} s` : lag);
}

function take(answers) {
  for (const answer of answers) bars.merge(answer.bars, answer.unit);
  sayGaps(answers[0].gaps);
  drawSoon();
}

/** What is missing in what is shown, in words: a hole in a chart does not say how large it is. */
function sayGaps(gaps) {
  for (const gap of gaps) missing.set(gap.from_id, gap);
  const clock = (ms) => new Date(ms).toISOString().slice(11, 19);
  find("gaps").replaceChildren(...[...missing.values()].filter(({ state }) => state !== "filled").map((gap) => {
    const span = `${root.dataset.nothing} ${clock(gap.from)}–${clock(gap.to)} UTC: ${money(gap.to_id - gap.from_id + 1)} ${root.dataset.missing}`;
    return Object.assign(document.createElement("li"), { textContent: gap.state === "open" ? `${span}, ${root.dataset.fetching}` : span });
  }));
}

async function load() {
  try {
    take(await readBoth("realtime", { symbol, market, minutes: 60 }));
    orders.take(await read("/api/cvd/big-orders", { symbol, market }));
    find("failed").hidden = true;
  } catch {
    find("failed").hidden = false;
    setTimeout(load, 3_000);
  }
}

async function loadOlder() {
  const end = bars.oldest;
  if (isLoadingOlder || hasNoOlder || end === undefined) return;
  isLoadingOlder = true;
  try {
    const answers = await readBoth("range", { symbol, market, interval: "1m", start: end - CHUNK_MS, end });
    hasNoOlder = answers.every((answer) => answer.bars.length === 0);
    take(answers);
  } catch {
    setTimeout(() => { isLoadingOlder = false; }, 3_000);
    return;
  }
  isLoadingOlder = false;
}

for (const [name, key, read] of [["unit", "unit", String], ["interval", "seconds", Number], ["anchor", "anchor", String]]) {
  bindSwitch(root.querySelector(`[data-switch=${name}]`), (value) => {
    chosen[key] = read(value);
    drawSoon();
  });
}

bindSwitch(root.querySelector("[data-switch=scale]"), (value) => { chart.hasOwnScales = value === "own"; });
find("minimum").addEventListener("change", ({ target }) => { orders.minimum = Number(target.value); });

let wasLive = false;
new Live({
  topics: [`flow:${market}:${symbol}:1m`, `orders:${market}:${symbol}`],
  onMessage: (message) => {
    if (message.resync) return load();
    newest = Math.max(newest, message.time);
    if (message.topic.startsWith("orders:")) orders.take([message.data]);
    else bars.merge([message.data]);
    return drawSoon();
  },
  onState: (state, seconds) => {
    if (state === "live" && !wasLive) load();
    wasLive = state === "live";
    say(state, seconds);
  },
});
