/** Equity, and open positions that move with the topic `pnl`. */
import { ChartTable } from "../components/chart-table.js";
import { EquityChart } from "../components/equity-chart.js";
import { Positions } from "../components/positions.js";
import { money } from "../lib/format.js";
import { Live } from "../lib/live.js";

const plot = document.querySelector("[data-equity]");
if (plot) {
  const points = JSON.parse(document.getElementById("equity").textContent);
  new EquityChart(plot, points);
  const root = document.querySelector("[data-chart-table]");
  const places = Number(plot.dataset.places);
  const row = ({ time, equity, drawdown }) => [
    time,
    ...[equity, drawdown]
      .filter((value) => value !== undefined)
      .map((value) => `${money(value, places)} ${plot.dataset.currency}`),
  ];
  if (root) new ChartTable(root).draw(() => points.map(row)); // not there while amounts are hidden
}

const table = document.querySelector("[data-positions]");
if (table) {
  const positions = new Positions(table);
  new Live({
    topics: ["pnl"],
    onMessage: (message) => (message.resync ? positions.read() : positions.draw(message.data)),
    onState: (state) => table.classList.toggle("is-stale", state !== "live"),
  });
}
