/** Equity, and open positions that move with the topic `pnl`; a fill asks for the page's parts again. */
import { EquityChart } from "../components/equity-chart.js";
import { Positions } from "../components/positions.js";
import { Live } from "../lib/live.js";

const plot = document.querySelector("[data-equity]");
if (plot) new EquityChart(plot, JSON.parse(document.getElementById("equity").textContent));

const table = document.querySelector("[data-positions]");
if (table) {
  const positions = new Positions(table);
  new Live({
    topics: ["pnl"],
    onMessage: (message) => (message.resync ? positions.read() : positions.draw(message.data)),
    onState: (state) => table.classList.toggle("is-stale", state !== "live"),
  });
}
