import { BandTable } from "../components/band-table.js";
import { FlowChart } from "../components/flow-chart.js";
import { bindSwitch } from "../components/switch.js";
import { readBoth } from "../lib/api.js";
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
const table = new BandTable(find("bands"), (name) => chart.toggle(name));
let isDue = false;
let isLoadingOlder = false;
let hasNoOlder = false;
let anchored;

function draw() {
  isDue = false;
  const rolled = bars.rolled(chosen.unit, chosen.seconds);
  anchored = chosen.anchor === "visible" ? chart.firstVisible : chosen.anchor;
  const lines = cumulate(rolled, anchored);
  chart.draw(lines, chosen.seconds);
  table.draw(lines.at(-1));
  if (lines.length) find("price").textContent = money(lines.at(-1).close, 2);
}

/** However fast frames come, at most one drawing a screen frame. */
function drawSoon() {
  if (!isDue) requestAnimationFrame(draw);
  isDue = true;
}

function say(state, seconds) {
  find("state").dataset.now = state;
  find("state").textContent = root.dataset[state] + (seconds ? ` ${seconds} s` : "");
}

function take(answers) {
  for (const answer of answers) bars.merge(answer.bars, answer.unit);
  drawSoon();
}

async function load() {
  try {
    take(await readBoth("realtime", { symbol, market, minutes: 60 }));
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

let wasLive = false;
new Live({
  topics: [`flow:${market}:${symbol}:1m`],
  onMessage: (message) => {
    if (message.resync) return load();
    bars.merge([message.data]);
    return drawSoon();
  },
  onState: (state, seconds) => {
    if (state === "live" && !wasLive) load();
    wasLive = state === "live";
    say(state, seconds);
  },
});
