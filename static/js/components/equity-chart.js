import {
  AreaSeries,
  createChart,
} from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

import { hidesAmounts } from "../lib/format.js";

/** Equity by day, and its drawdown in a pane below where there is one. */
export class EquityChart {
  #chart;
  #equity;
  #drawdown;

  constructor(element, points) {
    this.#chart = createChart(element, {
      autoSize: true,
      layout: { attributionLogo: false },
      localization: { locale: document.documentElement.lang },
      rightPriceScale: { visible: !hidesAmounts() },
    });
    this.#equity = this.#chart.addSeries(AreaSeries, { lineWidth: 2, priceLineVisible: false });
    this.#equity.setData(points.map(({ time, equity }) => ({ time, value: equity })));
    if (points.some(({ drawdown }) => drawdown < 0)) {
      this.#drawdown = this.#chart.addSeries(
        AreaSeries,
        { lineWidth: 1, priceLineVisible: false, lastValueVisible: false, invertFilledArea: true },
        1,
      );
      this.#drawdown.setData(points.map(({ time, drawdown }) => ({ time, value: drawdown })));
      this.#chart.panes()[0].setStretchFactor(3);
    }
    this.#chart.timeScale().fitContent();
    this.#dress();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#dress());
    new MutationObserver(() => this.#dress()).observe(document.documentElement, {
      attributeFilter: ["data-theme", "data-palette"],
    });
  }

  #dress() {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(name).trim();
    this.#chart.applyOptions({
      layout: {
        background: { color: token("--surface") },
        textColor: token("--muted"),
        attributionLogo: false,
        panes: { separatorColor: token("--line") },
      },
      grid: { vertLines: { color: token("--grid") }, horzLines: { color: token("--grid") } },
    });
    this.#equity.applyOptions({
      lineColor: token("--accent"),
      topColor: `${token("--accent")}38`,
      bottomColor: `${token("--accent")}05`,
    });
    this.#drawdown?.applyOptions({
      lineColor: token("--down"),
      topColor: `${token("--down")}10`,
      bottomColor: `${token("--down")}48`,
    });
  }
}
