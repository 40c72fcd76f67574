/** One trade: its chart (with flow where the tape is covered), templates of notes, and the keys J, K, E. */

import { barRows, ChartTable, candleRows } from "../components/chart-table.js";
import { FlowChart } from "../components/flow-chart.js";
import { TradeChart } from "../components/trade-chart.js";
import { readUnits } from "../lib/api.js";
import { Bars, cumulate } from "../lib/bars.js";
import { onKey } from "../lib/keys.js";

const plot = document.querySelector("[data-trade-chart]");
const note = document.querySelector("[data-chart-note]");
const table = new ChartTable(document.querySelector("[data-chart-table]"));
const fills = JSON.parse(document.getElementById("markers").textContent);
const { symbol, market, address, entry, stop, target } = plot.dataset;

async function withFlow({ from, to, opened }) {
  const bars = new Bars();
  for (const answer of await readUnits("range", {
    symbol,
    market,
    interval: "1m",
    start: from,
    end: to,
  }))
    bars.merge(answer.bars, answer.unit);
  const chart = new FlowChart(plot, { onEdge: () => {}, onMove: () => {} });
  const lines = cumulate(bars.rolled("order", 60), Math.floor(opened / 60_000) * 60);
  chart.draw(lines, 60);
  table.draw(() => barRows(lines), Object.keys(lines.at(-1)?.bandCvd ?? {}));
  chart.fills = fills;
  chart.fit();
  levels(chart);
}

function levels(chart) {
  if (entry) chart.line(Number(entry), plot.dataset.entryLabel, "--accent");
  if (stop) chart.line(Number(stop), plot.dataset.stopLabel, "--down");
  if (target) chart.line(Number(target), plot.dataset.targetLabel, "--up");
}

async function load() {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const found = await answer.json();
  if (found.covered && found.to - found.from < 7 * 86_400_000) {
    await withFlow(found);
    note.textContent = note.dataset.tape;
    return;
  }
  note.textContent = found.candles.length ? note.dataset.exchange : note.dataset.none;
  if (!found.candles.length) return;
  const chart = new TradeChart(plot);
  chart.draw(found.candles, fills, found.step);
  table.draw(() => candleRows(found.candles));
  levels(chart);
}

load().catch(() => {
  note.textContent = note.dataset.failed;
});

const template = document.querySelector("[data-template]");
template?.addEventListener("change", () => {
  const text = document.querySelector("[data-note]");
  text.value += (text.value ? "\n\n" : "") + template.value;
  template.value = "";
});

const KEYS = { k: "[data-previous]", j: "[data-next]", e: "[data-reviewed]" };
onKey(({ key }) => document.querySelector(KEYS[key] ?? "#none")?.click());
