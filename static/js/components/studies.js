import { HistogramSeries } from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

import { RunSeries } from "./run-series.js";

const OVERLAYS = new Set(["sma", "ema", "bollinger", "vwap"]);
const COLOURS = ["#c084fc", "#f472b6", "#22d3ee", "#facc15", "#a3e635", "#fb923c"];
const PANE_PX = 96;

/** Indicators of `/api/indicators`: averages over the price, the others in panes of their own below. */
export class Studies {
  #chart;
  #element;
  #shown = new Map();
  #height;

  constructor(chart, element) {
    [this.#chart, this.#element, this.#height] = [chart, element, element.clientHeight];
  }

  /** `series`: name -> points; what is not in it goes. */
  draw(series) {
    for (const [name, lines] of this.#shown) {
      if (name in series) continue;
      for (const line of lines.values()) this.#chart.removeSeries(line);
      this.#shown.delete(name);
    }
    Object.entries(series).forEach(([name, points], index) => {
      if (points.length && !this.#shown.has(name))
        this.#shown.set(name, this.#add(name, points[0], COLOURS[index % COLOURS.length]));
      for (const [key, line] of this.#shown.get(name) ?? [])
        line.setData(points.map(({ t, [key]: value }) => ({ time: t / 1_000, value })));
    });
    const panes = [...this.#shown.keys()].filter((name) => !isOverlay(name)).length;
    this.#element.style.height = panes ? `${this.#height + panes * PANE_PX}px` : "";
  }

  #add(name, point, color) {
    const pane = isOverlay(name) ? 0 : this.#chart.panes().length;
    const keys = Object.keys(point).filter((key) => key !== "t");
    return new Map(
      keys.map((key, index) => {
        const isHistogram = key === "histogram";
        const title = index === 0 ? name.toUpperCase().replaceAll(":", " ") : "";
        const options = {
          color,
          title,
          lineWidth: 1,
          isDashed: key === "signal" || key === "middle",
          lastValueVisible: !isOverlay(name) && index === 0,
          priceLineVisible: false,
        };
        const line = isHistogram
          ? this.#chart.addSeries(HistogramSeries, options, pane)
          : this.#chart.addCustomSeries(new RunSeries(), options, pane);
        return [key, line];
      }),
    );
  }
}

const isOverlay = (name) => OVERLAYS.has(name.split(":")[0]);
