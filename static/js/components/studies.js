import {
  HistogramSeries,
  LineSeries,
} from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

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

  /** `series`: name -> points; what is not in it goes. `step` is the bars' length in seconds. */
  draw(series, step) {
    for (const [name, lines] of this.#shown) {
      if (name in series) continue;
      for (const line of lines.values()) this.#chart.removeSeries(line);
      this.#shown.delete(name);
    }
    Object.entries(series).forEach(([name, points], index) => {
      if (points.length && !this.#shown.has(name))
        this.#shown.set(name, this.#add(name, points[0], COLOURS[index % COLOURS.length]));
      for (const [key, line] of this.#shown.get(name) ?? [])
        line.setData(withGaps(points, step, key));
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
          lineStyle: key === "signal" || key === "middle" ? 2 : 0,
          lastValueVisible: !isOverlay(name) && index === 0,
          priceLineVisible: false,
        };
        return [
          key,
          this.#chart.addSeries(isHistogram ? HistogramSeries : LineSeries, options, pane),
        ];
      }),
    );
  }
}

const isOverlay = (name) => OVERLAYS.has(name.split(":")[0]);

/** A line breaks where a value is missing. */
function withGaps(points, step, key) {
  const data = [];
  for (const { t, [key]: value } of points) {
    const time = t / 1_000;
    if (data.length && time > data.at(-1).time + step) data.push({ time: data.at(-1).time + step });
    data.push({ time, value });
  }
  return data;
}
