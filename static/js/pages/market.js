/** One market: its chart, order book, big orders and watch-list, all moving. */
import { AlertAim } from "../components/alert-aim.js";
import { BandTable } from "../components/band-table.js";
import { BigOrders } from "../components/big-orders.js";
import { BookLadder } from "../components/book-ladder.js";
import { barRows, ChartTable } from "../components/chart-table.js";
import { ChartTools } from "../components/chart-tools.js";
import { FlowView } from "../components/flow-view.js";
import { OwnTrading } from "../components/own-trading.js";
import { PriceLevels } from "../components/price-levels.js";
import { StudyChoice } from "../components/study-choice.js";
import { bindSwitch } from "../components/switch.js";
import { SymbolSwitcher } from "../components/symbol-switcher.js";
import { WatchColumn } from "../components/watch-column.js";
import { changeText } from "../components/watch-rows.js";
import { read } from "../lib/api.js";
import { cumulate, lineOf } from "../lib/flow-lines.js";
import { price, signed, toneOf } from "../lib/format.js";
import { onKey } from "../lib/keys.js";
import { Live } from "../lib/live.js";

const PROFILE_MS = 15 * 60_000;
const PROFILE_EVERY_MS = 10_000;
const root = document.querySelector("[data-market]");
const { symbol, kind: market, pair } = root.dataset;
const find = (name) => root.querySelector(`[data-${name}]`);
const asked = new URLSearchParams(location.search);
const chosen = { unit: market === "usdm" ? "order" : "trade", anchor: "visible" };
const words = { ...root.dataset, name: symbol, bands: find("chips").dataset.title };
const view = new FlowView(root, {
  ask: (query) => read("/api/cvd/range", { symbol, market, ...query }),
  words,
  onDraw,
  onMove: () => studies?.moved(),
});
const levels = new PriceLevels(view.chart, (name, price) => {
  if (!name.includes(":")) tools.moved(name, price);
  else document.dispatchEvent(new CustomEvent("tapelog:dropped", { detail: { name, price } }));
});
// of the ticket and of open orders
document.addEventListener("tapelog:lines", ({ detail }) => {
  for (const name of levels.names) if (name.includes(":")) levels.set(name, {});
  for (const { name, ...line } of detail) levels.set(name, line);
});
const tools = new ChartTools(root, view, levels, `${market}:${symbol}`);
const orders = new BigOrders(find("orders"), root.dataset, find("order-sum"));
const table = new BandTable(find("bands"));
const ladder = new BookLadder(find("book"));
const own = new OwnTrading(find("own"), view.chart, levels, root.dataset);
const asText = new ChartTable(find("chart-table"));
const studies = new StudyChoice(find("studies"), view.chart, studied, drawOther);
new AlertAim(view.chart, find("alert-aim"), { market, symbol });
new WatchColumn(find("watch"), `${market}:${symbol}`);
new SymbolSwitcher(find("switcher"), `${market}:${symbol}`);
let other = [];
let otherKey;
let newest = 0;
let loading;

function studied() {
  const { window } = view;
  return (
    window && {
      symbol,
      market,
      interval: window.interval,
      seconds: window.seconds,
      from: window.from,
      to: window.to,
      words: root.dataset,
    }
  );
}

function onDraw(lines) {
  const last = lines.at(-1);
  if (!last) return;
  table.draw(last);
  orders.draw();
  asText.draw(() => seen(lines), view.chart.bands.names);
  if (view.window.isAtNow) find("price").textContent = price(last.close);
  drawOther();
}

/** Rows of the bars that are in view. */
function seen(lines) {
  const [first, last] = view.chart.visible ?? [0, Infinity];
  return barRows(lines.filter(({ time }) => time >= first && time <= last));
}

/** The other market's line, where it is wanted: read again when the bars are others. */
function drawOther() {
  const { window } = view;
  if (!pair || !studies?.has("pair") || !window?.from) {
    view.chart.drawOther(undefined);
    return;
  }
  const key = [window.interval, window.from, window.to ?? Math.floor(Date.now() / 60_000)].join();
  if (key !== otherKey) {
    otherKey = key;
    readOther(window);
  }
  const anchor = chosen.anchor === "visible" ? view.chart.firstVisible : chosen.anchor;
  view.chart.drawOther(cumulate(other, anchor), root.dataset.other);
}

async function readOther({ interval, seconds, from, to }) {
  const end = to ?? Date.now() / 1_000 + seconds;
  try {
    const start = Math.max(from, end - 9_000 * seconds);
    const { bars } = await read("/api/cvd/range", {
      symbol,
      market: pair,
      interval,
      unit: "order",
      start: Math.round(start * 1_000),
      end: Math.round(end * 1_000),
    });
    other = bars.map((bar) => lineOf(bar, "order"));
    view.redraw();
  } catch {
    /* the line stays as it is */
  }
}

// --- what is chosen ---------------------------------------------------------------------------------

const group = (name) => root.querySelector(`[data-switch=${name}]`);
const pressedTitle = (name) => group(name)?.querySelector("[aria-pressed=true]")?.title ?? "";
let isReady = false;

function open(at) {
  if (!isReady) return;
  view.show(chosen.interval, chosen.unit, at).then(() => studies?.loaded());
  listen();
}

bindSwitch(
  group("interval"),
  (value) => {
    chosen.interval = value;
    open();
  },
  asked.get("interval"),
);
if (group("unit")) {
  bindSwitch(group("unit"), (value) => {
    chosen.unit = value;
    open();
  });
}
bindSwitch(group("anchor"), (value) => {
  chosen.anchor = value;
  view.options = { anchor: value, anchorName: pressedTitle("anchor") };
});
bindSwitch(group("scale"), (value) => {
  view.chart.bands.hasOwnScales = value === "own";
  view.options = { scaleName: pressedTitle("scale") };
});
// what a phone shows of the page, and what a laptop shows beside the chart
bindSwitch(group("part"), (value) => {
  root.dataset.part = value;
});
bindSwitch(group("side"), (value) => {
  root.dataset.side = value;
});
find("more-controls").addEventListener("click", ({ currentTarget }) => {
  const isOpen = currentTarget.getAttribute("aria-expanded") !== "true";
  currentTarget.setAttribute("aria-expanded", isOpen);
  root.classList.toggle("has-controls", isOpen);
});
find("minimum").addEventListener("change", ({ target }) => {
  orders.minimum = Number(target.value);
});

/** 1, 3 and 5 choose the bars, B the unit, End goes to now, [ and ] to the watch-list's neighbours. */
const press = (name, value) => group(name)?.querySelector(`button[${value}]`)?.click();
onKey(({ key }) => {
  if (["1", "3", "5"].includes(key)) press("interval", `value="${key}m"`);
  if (key === "b") press("unit", "aria-pressed=false");
  if (key === "End") view.goNow();
  if (key !== "[" && key !== "]") return;
  const rows = [...find("watch").querySelectorAll(".watch-row")];
  rows[rows.findIndex((row) => row.hasAttribute("aria-current")) + (key === "]" ? 1 : -1)]?.click();
});

// --- what moves -------------------------------------------------------------------------------------

function say(state, seconds) {
  const lag =
    state === "live" && newest
      ? ` · ${root.dataset.lag} ${Math.max(0, (Date.now() - newest) / 1_000).toFixed(1)} s`
      : "";
  find("state").dataset.now = state;
  find("state").textContent = root.dataset[state] + (seconds ? ` ${seconds} s` : lag);
  root.classList.toggle("is-old", state !== "live");
}

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

async function readOrders() {
  try {
    orders.take(await read("/api/cvd/big-orders", { symbol, market }));
    orders.draw();
  } catch {
    /* the next reconnection asks again */
  }
}

/** What was traded at each price in the last minutes, beside the book. */
async function readProfile() {
  if (document.hidden) return;
  const end = Date.now();
  try {
    const { rows } = await read("/api/profile", {
      symbol,
      market,
      interval: "1m",
      start: end - PROFILE_MS,
      end,
      rows: 500,
    });
    ladder.profile = rows;
  } catch {
    /* the next round asks again */
  }
}

/** One reading at a time, and not all browsers at once. */
function refreshSoon(pause) {
  clearTimeout(loading);
  loading = setTimeout(
    () => {
      view.refresh();
      readOrders();
    },
    pause * (0.5 + Math.random()),
  );
}

const takers = {
  flow: (data, topic) => {
    const grain = topic.split(":")[3];
    view.take(data, grain);
    if (grain === "1m" && data.closed) studies.loaded();
    if (!view.window?.isAtNow) find("price").textContent = price(data.close);
  },
  orders: (data) => {
    orders.take([data]);
    orders.draw();
  },
  book: (data) => ladder.take(data),
  ticker: takeTicker,
  mark: takeMark,
  pnl: (data) => own.take(data),
  account: () => own.readSoon(),
};
const kinds = ["orders", "book", "ticker", ...(market === "usdm" ? ["mark"] : [])];
let live;
let heard;
let wasLive = false;

/** The socket's topics follow the interval: seconds only where seconds are drawn. */
function listen() {
  const grain = view.grain ?? "1m";
  if (heard === grain) return;
  heard = grain;
  wasLive = false;
  live?.close();
  live = new Live({
    topics: [
      `flow:${market}:${symbol}:${grain}`,
      ...kinds.map((kind) => `${kind}:${market}:${symbol}`),
      "pnl",
      "account",
    ],
    onMessage: (message) => {
      const kind = message.topic.split(":")[0];
      if (message.resync) {
        if (kind === "flow" || kind === "orders") refreshSoon(1_000);
        else own.readSoon();
        return;
      }
      if (kind === "flow") newest = Math.max(newest, message.time);
      takers[kind](message.data, message.topic);
    },
    onState: (state, seconds) => {
      if (state === "live" && !wasLive) {
        refreshSoon(0);
        own.readSoon();
      }
      wasLive = state === "live";
      say(state, seconds);
    },
  });
}

isReady = true;
const at = Number(asked.get("at")) / 1_000;
open(at > 0 ? at : "now");
readOrders();
readProfile();
setInterval(readProfile, PROFILE_EVERY_MS);
