/** When an alert would have told something, on the price of that time. */
import {
  createChart,
  createSeriesMarkers,
  LineSeries,
} from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

import { markersAt } from "../lib/alerts.js";
import { read } from "../lib/api.js";
import { chartOptions, onLook, paintChart, token } from "./chart-look.js";

const DAY_MS = 86_400_000;
// [longest span, interval, seconds]
const GRAINS = [
  [DAY_MS, "1m", 60],
  [8 * DAY_MS, "15m", 900],
  [Infinity, "1h", 3_600],
];

export class AlertPreview {
  #element;
  #chart;
  #series;
  #marks;
  #seconds = 60;

  constructor(element) {
    this.#element = element;
  }

  /** `events` are `[{ at }]` (ms) between `start` and `end`. Throws when the bars cannot be read. */
  async draw({ symbol, market, start, end, events }) {
    const [, interval, seconds] = GRAINS.find(([span]) => end - start <= span);
    const { bars } = await read("/api/cvd/range", {
      symbol,
      market,
      interval,
      unit: "order",
      start: Math.floor(start / 1_000 / seconds) * seconds * 1_000,
      end,
    });
    this.#element.hidden = !bars.length;
    if (!bars.length) return;
    this.#make();
    this.#seconds = seconds;
    this.#series.setData(bars.map(({ t, close }) => ({ time: t / 1_000, value: Number(close) })));
    this.#marks.setMarkers(markersAt(events, seconds, token("--accent")));
    this.#chart.timeScale().fitContent();
  }

  hide() {
    this.#element.hidden = true;
  }

  #make() {
    if (this.#chart) return;
    this.#chart = createChart(
      this.#element,
      chartOptions(() => this.#seconds),
    );
    this.#series = this.#chart.addSeries(LineSeries, { lineWidth: 1, priceLineVisible: false });
    this.#marks = createSeriesMarkers(this.#series, []);
    onLook(() => {
      paintChart(this.#chart);
      this.#series.applyOptions({ color: token("--text") });
    });
  }
}
