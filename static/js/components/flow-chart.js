import {
  AreaSeries,
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  HistogramSeries,
  LineSeries,
} from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

import { Studies } from "./studies.js";
import { merged } from "./trade-chart.js";
import { VolumeProfile } from "./volume-profile.js";

// widths grow with the size, as the colours' weight does
const BAND_WIDTHS = [1, 1, 1, 2, 2, 3];
const NEAR_THE_EDGE = 20;

/** Three panes: price, total CVD, CVD by band. `onEdge` fires near the oldest bar, `onMove` after scrolling. */
export class FlowChart {
  #chart;
  #price;
  #total;
  #other;
  #marks;
  #studies;
  #profile = new VolumeProfile();
  #bands = new Map();
  #hidden = new Set();
  #count = 0;
  #step = 60;
  #ownScales = false;
  #gaps = [];
  #fills = [];
  #entry;
  #ownMarks;
  #first = 0;
  #last;

  constructor(element, { onEdge, onMove }) {
    this.#chart = createChart(element, {
      autoSize: true,
      layout: { attributionLogo: false }, // its inline style breaks the CSP; the page credits in text
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 2 },
      localization: { locale: document.documentElement.lang },
    });
    this.#price = this.#chart.addSeries(CandlestickSeries, {
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#total = this.#chart.addSeries(
      AreaSeries,
      { lineWidth: 2, title: "CVD", priceFormat: { type: "volume" } },
      1,
    );
    // minutes that are not whole, as a band through each pane
    this.#gaps = [0, 1, 2].map((pane) =>
      this.#chart.addSeries(
        HistogramSeries,
        { priceScaleId: `gaps${pane}`, lastValueVisible: false, priceLineVisible: false },
        pane,
      ),
    );
    for (const series of this.#gaps)
      series.priceScale().applyOptions({ scaleMargins: { top: 0, bottom: 0 } });
    this.#chart.panes()[0].setStretchFactor(2);
    this.#price.attachPrimitive(this.#profile);
    this.#studies = new Studies(this.#chart, element);
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && this.#count && range.from < NEAR_THE_EDGE) onEdge();
      onMove();
    });
    this.#dress();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#dress());
    new MutationObserver(() => this.#dress()).observe(document.documentElement, {
      attributeFilter: ["data-theme", "data-palette"],
    });
  }

  /** `lines` from lib/bars.js; `step` the bar's length in seconds. */
  draw(lines, step) {
    const isFirst = !this.#count || step !== this.#step;
    const first = lines[0]?.time ?? 0;
    const isLonger = first !== this.#first || step !== this.#step;
    const seen = isFirst || !isLonger ? null : this.#chart.timeScale().getVisibleLogicalRange();
    const older = (this.#first - first) / step;
    [this.#count, this.#step, this.#first] = [lines.length, step, first];
    this.#price.setData(
      withHoles(lines, step, ({ open, high, low, close }) => ({ open, high, low, close })),
    );
    this.#total.setData(withHoles(lines, step, ({ cvd }) => ({ value: cvd })));
    const gaps = lines
      .filter(({ isComplete }) => !isComplete)
      .map(({ time }) => ({ time, value: 1 }));
    for (const series of this.#gaps) series.setData(gaps);
    this.#drawLast(lines.at(-1));
    if (isLonger) this.#markFills();
    const names = Object.keys(lines.at(-1)?.bandCvd ?? {});
    names.forEach((name, index) =>
      this.#band(name, index).setData(
        withHoles(lines, step, ({ bandCvd }) => (name in bandCvd ? { value: bandCvd[name] } : {})),
      ),
    );
    // what is seen stays in its place when older bars come before it
    if (seen && older > 0)
      this.#chart
        .timeScale()
        .setVisibleLogicalRange({ from: seen.from + older, to: seen.to + older });
    if (isFirst && lines.length)
      this.#chart
        .timeScale()
        .setVisibleLogicalRange({ from: lines.length - 62, to: lines.length + 1 });
  }

  /** Indicators by name, as `/api/indicators` answers them. */
  drawStudies(series, step) {
    this.#studies.draw(series, step);
  }

  /** Divergence and absorption of `/api/marks`; `words` names both. */
  drawMarks(rows, words, step) {
    this.#marks ??= createSeriesMarkers(this.#price, []);
    const style = getComputedStyle(document.documentElement);
    const tone = (side) => style.getPropertyValue(side === "buy" ? "--up" : "--down").trim();
    this.#marks.setMarkers(
      rows.map(({ t, kind, side }) => ({
        time: Math.floor(t / 1_000 / step) * step,
        position: side === "buy" ? "belowBar" : "aboveBar",
        color: tone(side),
        shape: kind === "divergence" ? (side === "buy" ? "arrowUp" : "arrowDown") : "square",
        text: words[kind].slice(0, 3),
        size: 0.7,
      })),
    );
  }

  /** Volume by price of what is seen; no rows, no bars. */
  drawProfile(rows) {
    this.#profile.rows = rows;
  }

  /** The same symbol's other market as a second line beside the total CVD; undefined takes it away. */
  drawOther(lines, title, step) {
    if (!lines) {
      if (this.#other) this.#chart.removeSeries(this.#other);
      this.#other = undefined;
      return;
    }
    this.#other ??= this.#chart.addSeries(
      LineSeries,
      { lineWidth: 2, lineStyle: 2, title, color: "#f5b83d", priceFormat: { type: "volume" } },
      1,
    );
    this.#other.setData(withHoles(lines, step, ({ cvd }) => ({ value: cvd })));
  }

  /** The trader's own fills, [{time (s), side, quantity}, …]; those before the oldest bar are left out. */
  set fills(fills) {
    this.#fills = fills;
    this.#markFills();
  }

  /** The open position's entry as a line; undefined takes it away. */
  drawEntry(price, title) {
    if (this.#entry) this.#price.removePriceLine(this.#entry);
    const color = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    this.#entry =
      price === undefined
        ? undefined
        : this.#price.createPriceLine({
            price: Number(price),
            title,
            color,
            lineStyle: 2,
            lineWidth: 1,
          });
  }

  /** Everything that is drawn at once. */
  fit() {
    this.#chart.timeScale().fitContent();
  }

  /** A level with its name. */
  line(price, title, token) {
    const color = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
    this.#price.createPriceLine({ price, title, color, lineStyle: 2, lineWidth: 1 });
  }

  /** Time (s) of the first visible bar, undefined before anything is drawn. */
  get firstVisible() {
    return this.#chart.timeScale().getVisibleRange()?.from;
  }

  /** [first, last] visible time (s), undefined before anything is drawn. */
  get visible() {
    const range = this.#chart.timeScale().getVisibleRange();
    return range ? [range.from, range.to] : undefined;
  }

  /** Each band by its own scale, so that the small ones are seen too, or all by one. */
  set hasOwnScales(isOwn) {
    this.#ownScales = isOwn;
    [...this.#bands.values()].forEach((series, index) =>
      series.applyOptions({ priceScaleId: this.#scale(index) }),
    );
  }

  /** Returns whether the band is shown now. */
  toggle(name) {
    const isShown = this.#hidden.has(name);
    this.#hidden[isShown ? "delete" : "add"](name);
    this.#bands.get(name)?.applyOptions({ visible: isShown });
    return isShown;
  }

  /** The newest price on the axis: a hollow candle's own label would be hollow too. */
  #drawLast(line) {
    if (!line) return;
    const color = getComputedStyle(document.documentElement)
      .getPropertyValue(line.close >= line.open ? "--up" : "--down")
      .trim();
    this.#last ??= this.#price.createPriceLine({ price: line.close, lineStyle: 1, lineWidth: 1 });
    this.#last.applyOptions({ price: line.close, color });
  }

  #markFills() {
    this.#ownMarks ??= createSeriesMarkers(this.#price, []);
    this.#ownMarks.setMarkers(
      merged(
        this.#fills.filter(({ time }) => this.#first && time >= this.#first),
        this.#step,
      ),
    );
  }

  #scale(index) {
    return this.#ownScales ? `band${index}` : "right";
  }

  #band(name, index) {
    if (!this.#bands.has(name)) {
      const options = {
        priceScaleId: this.#scale(index),
        lineWidth: BAND_WIDTHS[index] ?? 1,
        priceFormat: { type: "volume" },
        lastValueVisible: false,
        priceLineVisible: false,
        visible: !this.#hidden.has(name),
      };
      this.#bands.set(name, this.#chart.addSeries(LineSeries, options, 2));
      this.#dress();
    }
    return this.#bands.get(name);
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
    const [up, down] = [token("--up"), token("--down")];
    // hollow up, filled down: readable in grey
    this.#price.applyOptions({
      upColor: token("--surface"),
      borderUpColor: up,
      wickUpColor: up,
      downColor: down,
      borderDownColor: down,
      wickDownColor: down,
    });
    this.#total.applyOptions({
      lineColor: token("--text"),
      topColor: `${token("--text")}10`,
      bottomColor: `${token("--text")}10`,
    });
    this.#other?.applyOptions({ color: token("--warn") });
    [...this.#bands.values()].forEach((series, index) =>
      series.applyOptions({ color: token(`--band-${index}`) }),
    );
    for (const series of this.#gaps) series.applyOptions({ color: token("--gap") });
  }
}

/** One point a bar, and an empty one for each bar that is missing, so that a gap is seen as a gap. */
function withHoles(lines, step, point) {
  const points = [];
  for (const line of lines) {
    const last = points.at(-1)?.time;
    for (let time = last + step; time < line.time; time += step) points.push({ time });
    points.push({ time: line.time, ...point(line) });
  }
  return points;
}
