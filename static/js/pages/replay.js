/** A trade second by second: the future is not drawn; fills appear as they came, with the running result. */
import { ChartTable, candleRows } from "../components/chart-table.js";
import { TradeChart } from "../components/trade-chart.js";
import { read } from "../lib/api.js";
import { price as priceText, signed } from "../lib/format.js";
import { onKey } from "../lib/keys.js";

const root = document.querySelector("[data-replay]");
const find = (name) => document.querySelector(`[data-${name}]`);
const fills = JSON.parse(document.getElementById("markers").textContent);
const { symbol, market, quote, address, hide } = root.dataset;
const TICK_MS = 100;
// of 1 s bars, with five minutes on both sides, in one answer
const MOST_SECONDS = 9_300;
const table = new ChartTable(document.querySelector("[data-chart-table]"));
let candles = [];
let step = 1;
let at = 0;
let timer;
let chart;
let wished;

/** Cash of the fills so far and the open quantity at this price. */
function result(time, price) {
  const past = fills.filter((fill) => fill.time < time + step);
  if (!past.length) return undefined;
  if (past.length === fills.length && root.dataset.gross) return Number(root.dataset.gross);
  return running(past, price);
}

function running(past, price) {
  const sign = ({ side }) => (side === "BUY" ? 1 : -1);
  const held = past.reduce((sum, fill) => sum + sign(fill) * Number(fill.quantity), 0);
  const cash = past.reduce((sum, fill) => sum - sign(fill) * Number(fill.quantity) * fill.price, 0);
  return cash + held * price;
}

function draw() {
  const shown = candles.slice(0, at + 1);
  const last = shown.at(-1);
  if (!last) return;
  chart.draw(
    shown,
    fills.filter((fill) => fill.time < last[0] + step),
    step,
  );
  table.draw(() => candleRows(shown));
  find("position").value = at;
  find("clock").textContent =
    `${new Date(last[0] * 1_000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const value = result(last[0], last[4]);
  find("pnl").textContent = value === undefined ? "–" : amount(value);
}

const amount = (value) => (hide ? "•••" : `${signed(value, 2)} ${quote}`);

/** What the trade would have made, had all that was open been closed at the price of this moment; a second press takes it back. */
function whatIf() {
  const now = candles[at];
  const past = now ? fills.filter((fill) => fill.time < now[0] + step) : [];
  wished = wished === undefined && past.length ? at : undefined;
  const says = find("what-if");
  chart?.wish(wished === undefined ? undefined : now[4], says.dataset.title);
  find("leave").setAttribute("aria-pressed", wished !== undefined);
  if (wished === undefined) {
    says.textContent = "";
    return;
  }
  const value = running(past, now[4]);
  const words = [`${says.dataset.out} ${priceText(now[4])}: ${amount(value)}`];
  if (root.dataset.gross)
    words.push(
      `${says.dataset.instead} ${amount(Number(root.dataset.gross))} (${amount(value - Number(root.dataset.gross))})`,
    );
  says.textContent = words.join(" · ");
}

function move(by) {
  at = Math.max(0, Math.min(candles.length - 1, at + by));
  draw();
}

function play() {
  if (timer) {
    clearInterval(timer);
    timer = undefined;
  } else {
    let owed = 0;
    timer = setInterval(() => {
      owed +=
        ((Number(find("speed").value) * TICK_MS) / 1_000 / Math.min(step, 60)) * (step > 1 ? 3 : 1);
      if (owed >= 1) move(Math.floor(owed));
      owed %= 1;
      if (at >= candles.length - 1) play();
    }, TICK_MS);
  }
  find("play").textContent = timer ? "■" : "▶";
}

async function load() {
  const found = await (await fetch(address)).json();
  if (found.covered && found.closed - found.opened < MOST_SECONDS * 1_000) {
    const answer = await read("/api/cvd/range", {
      symbol,
      market,
      interval: "1s",
      unit: "order",
      start: Math.floor(found.opened / 1_000) * 1_000 - 300_000,
      end: Math.min(found.closed + 300_000, found.to),
    });
    candles = answer.bars.map((bar) => [
      bar.t / 1_000,
      ...[bar.open, bar.high, bar.low, bar.close, bar.delta].map(Number),
    ]);
  } else {
    [candles, step] = [found.candles, found.step];
  }
  find("note").textContent = candles.length ? `${candles.length} × ${step} s` : root.dataset.none;
  if (!candles.length) return;
  chart = new TradeChart(find("chart"));
  find("position").max = candles.length - 1;
  const first = Math.min(...fills.map(({ time }) => time));
  at = Math.max(
    0,
    candles.findIndex(([time]) => time + step > first),
  );
  draw();
}

find("play").addEventListener("click", play);
find("leave").addEventListener("click", whatIf);
for (const button of document.querySelectorAll("[data-step]"))
  button.addEventListener("click", () => move(Number(button.dataset.step)));
find("position").addEventListener("input", ({ target }) => {
  at = Number(target.value);
  draw();
});
onKey((event) => {
  if (
    event.target.closest("button, summary, a, .scroll") &&
    (event.key === " " || event.key.startsWith("Arrow"))
  )
    return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) {
    event.preventDefault();
    move(by * (event.shiftKey ? 10 : 1));
  }
  if (event.key === "x") whatIf();
  if (event.key === " ") {
    event.preventDefault();
    play();
  }
  const speeds = find("speed");
  if (event.key === "," && speeds.selectedIndex > 0) speeds.selectedIndex -= 1;
  if (event.key === "." && speeds.selectedIndex < speeds.options.length - 1)
    speeds.selectedIndex += 1;
});
load().catch(() => {
  find("note").textContent = root.dataset.none;
});
