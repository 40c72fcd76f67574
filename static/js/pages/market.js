import { BandTable } from "../components/band-table.js";
import { BigOrders } from "../components/big-orders.js";
import { BookLadder } from "../components/book-ladder.js";
import { barRows, ChartTable } from "../components/chart-table.js";
import { FlowChart } from "../components/flow-chart.js";
import { OwnTrading } from "../components/own-trading.js";
import { StudyChoice } from "../components/study-choice.js";
import { bindSwitch } from "../components/switch.js";
import { WatchColumn } from "../components/watch-column.js";
import { changeText } from "../components/watch-rows.js";
import { read, readUnits } from "../lib/api.js";
import { Bars, cumulate } from "../lib/bars.js";
import { money, price, signed, toneOf } from "../lib/format.js";
import { onKey } from "../lib/keys.js";
import { Live } from "../lib/live.js";

const CHUNK_MS = 6 * 3_600_000;
const root = document.querySelector("[data-market]");
const { symbol, kind: market, pair } = root.dataset;
const find = (name) => root.querySelector(`[data-${name}]`);
const bars = new Bars();
const otherBars = new Bars();
const chosen = { unit: market === "usdm" ? "order" : "trade", seconds: 60, anchor: "visible" };
const chart = new FlowChart(find("chart"), {
  onEdge: loadOlder,
  onMove: () => {
    if (chosen.anchor === "visible") drawSoon();
    studies.moved();
  },
});
const orders = new BigOrders(find("orders"), root.dataset);
const table = new BandTable(find("bands"), (name) => chart.toggle(name));
const ladder = new BookLadder(find("book"));
const studies = new StudyChoice(
  find("studies"),
  chart,
  () => ({ symbol, market, seconds: chosen.seconds, oldest: bars.oldest, words: root.dataset }),
  onStudies,
);
new WatchColumn(find("watch"), `${market}:${symbol}`);
const asText = new ChartTable(find("chart-table"));
const own = new OwnTrading(find("own"), chart, root.dataset);
let isDue = false;
let isLoadingOlder = false;
let hasNoOlder = false;
let anchored;
let newest = 0;
let hasOther = false;
let loading;
const missing = new Map();

function draw() {
  isDue = false;
  const rolled = bars.rolled(chosen.unit, chosen.seconds);
  anchored = chosen.anchor === "visible" ? chart.firstVisible : chosen.anchor;
  const lines = cumulate(rolled, anchored);
  chart.draw(lines, chosen.seconds);
  chart.drawOther(
    isCompared() ? cumulate(otherBars.rolled("order", chosen.seconds), anchored) : undefined,
    root.dataset.other,
    chosen.seconds,
  );
  table.draw(lines.at(-1));
  asText.draw(() => seen(lines), Object.keys(lines.at(-1)?.bandCvd ?? {}));
  orders.draw();
  if (lines.length) root.classList.remove("is-loading");
  if (lines.length) find("price").textContent = price(lines.at(-1).close);
}

/** Rows of the bars that are in view. */
function seen(lines) {
  const [first, last] = chart.visible ?? [0, Infinity];
  return barRows(lines.filter(({ time }) => time >= first && time <= last));
}

/** However fast frames come, at most one drawing a screen frame. */
function drawSoon() {
  if (!isDue) requestAnimationFrame(draw);
  isDue = true;
}

const isCompared = () => pair !== "" && studies.has("pair");

function onStudies() {
  if (isCompared() && !hasOther) loadOther();
  drawSoon();
}

function say(state, seconds) {
  const lag =
    state === "live" && newest
      ? ` · ${root.dataset.lag} ${Math.max(0, (Date.now() - newest) / 1_000).toFixed(1)} s`
      : "";
  find("state").dataset.now = state;
  find("state").textContent = root.dataset[state] + (seconds ? ` ${seconds} s` : lag);
}

function take(answers) {
  for (const answer of answers) bars.merge(answer.bars, answer.unit);
  sayGaps(answers[0].gaps);
  studies.loaded();
  drawSoon();
}

/** What is missing in what is shown, in words: a hole in a chart does not say how large it is. */
function sayGaps(gaps) {
  for (const gap of gaps) missing.set(gap.from_id, gap);
  const clock = (ms) => new Date(ms).toISOString().slice(11, 19);
  find("gaps").replaceChildren(
    ...[...missing.values()]
      .filter(({ state }) => state !== "filled")
      .map((gap) => {
        const span = `${root.dataset.nothing} ${clock(gap.from)}–${clock(gap.to)} UTC: ${money(gap.to_id - gap.from_id + 1)} ${root.dataset.missing}`;
        return Object.assign(document.createElement("li"), {
          textContent: gap.state === "open" ? `${span}, ${root.dataset.fetching}` : span,
        });
      }),
  );
}

async function load() {
  try {
    take(await readUnits("realtime", { symbol, market, minutes: 60 }));
    orders.take(await read("/api/cvd/big-orders", { symbol, market }));
    find("failed").hidden = true;
    if (isCompared()) loadOther();
  } catch {
    find("failed").hidden = false;
    loadSoon(3_000);
  }
}

/** One reading at a time, and not all browsers at once. */
function loadSoon(pause) {
  clearTimeout(loading);
  loading = setTimeout(load, pause * (0.5 + Math.random()));
}

async function loadOlder() {
  const end = bars.oldest;
  if (isLoadingOlder || hasNoOlder || end === undefined) return;
  isLoadingOlder = true;
  try {
    const answers = await readUnits("range", {
      symbol,
      market,
      interval: "1m",
      start: end - CHUNK_MS,
      end,
    });
    hasNoOlder = answers.every((answer) => answer.bars.length === 0);
    take(answers);
    if (isCompared()) loadOther();
  } catch {
    setTimeout(() => {
      isLoadingOlder = false;
    }, 3_000);
    return;
  }
  isLoadingOlder = false;
}

/** The other market's minutes beside ours, as far back as ours reach; a failure waits for the next reason to ask. */
async function loadOther() {
  const [start, end] = [bars.oldest, Date.now() + 60_000];
  if (start === undefined) return;
  try {
    const answer = await read("/api/cvd/range", {
      symbol,
      market: pair,
      interval: "1m",
      unit: "order",
      start: Math.max(start, end - 10_000 * 60_000),
      end,
    });
    hasOther = true;
    otherBars.merge(answer.bars, "order");
    drawSoon();
  } catch {
    /* the line stays as it is */
  }
}

for (const [name, key, convert] of [
  ["unit", "unit", String],
  ["interval", "seconds", Number],
  ["anchor", "anchor", String],
]) {
  const group = root.querySelector(`[data-switch=${name}]`);
  if (!group) continue;
  bindSwitch(group, (value) => {
    chosen[key] = convert(value);
    studies.loaded();
    drawSoon();
  });
}

// what a phone shows of the page
bindSwitch(root.querySelector("[data-switch=part]"), (value) => {
  root.dataset.part = value;
});
bindSwitch(root.querySelector("[data-switch=scale]"), (value) => {
  chart.hasOwnScales = value === "own";
});
find("minimum").addEventListener("change", ({ target }) => {
  orders.minimum = Number(target.value);
});

/** 1 and 5 choose the bars, B the unit, [ and ] the watch-list's neighbours. */
const press = (name, value) =>
  root.querySelector(`[data-switch=${name}] button[${value}]`)?.click();
onKey(({ key }) => {
  if (key === "1" || key === "5") press("interval", `value="${Number(key) * 60}"`);
  if (key === "b") press("unit", "aria-pressed=false");
  if (key !== "[" && key !== "]") return;
  const rows = [...find("watch").querySelectorAll(".watch-row")];
  rows[rows.findIndex((row) => row.hasAttribute("aria-current")) + (key === "]" ? 1 : -1)]?.click();
});

function takeTicker(data) {
  find("change").textContent = changeText(data);
  find("change").className = `number ${toneOf(changeText(data))}`;
}

function takeMark({ mark, index, rate, next_funding: next }) {
  find("mark").textContent = price(mark);
  find("index").textContent = price(index);
  find("rate").textContent = `${signed(Number(rate) * 100, 4)} %`;
  find("rate").className = toneOf(find("rate").textContent);
  const left = Math.max(0, Math.floor((next - Date.now()) / 60_000));
  find("until").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} h`;
}

const takers = {
  flow: (data, topic) => {
    const isOwn = topic.split(":")[1] === market;
    (isOwn ? bars : otherBars).merge([data]);
    if (isOwn && data.closed) studies.loaded();
  },
  orders: (data) => orders.take([data]),
  book: (data) => ladder.take(data),
  ticker: takeTicker,
  mark: takeMark,
  pnl: (data) => own.take(data),
  account: () => own.readSoon(),
};
const kinds = ["orders", "book", "ticker", ...(market === "usdm" ? ["mark"] : [])];
let wasLive = false;
new Live({
  topics: [
    `flow:${market}:${symbol}:1m`,
    ...kinds.map((kind) => `${kind}:${market}:${symbol}`),
    ...(pair ? [`flow:${pair}:${symbol}:1m`] : []),
    "pnl",
    "account",
  ],
  onMessage: (message) => {
    const kind = message.topic.split(":")[0];
    const isFlow = kind === "flow" || kind === "orders";
    if (message.resync) return isFlow ? loadSoon(1_000) : own.readSoon();
    if (kind === "flow") newest = Math.max(newest, message.time);
    takers[kind](message.data, message.topic);
    return isFlow ? drawSoon() : undefined;
  },
  onState: (state, seconds) => {
    if (state === "live" && !wasLive) {
      loadSoon(0);
      own.readSoon();
    }
    wasLive = state === "live";
    say(state, seconds);
  },
});
