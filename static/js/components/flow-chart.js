import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
} from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

import { compact, priceText } from "../lib/amounts.js";
import { markText, merged, withinBars } from "../lib/fill-marks.js";
import { bandNames } from "../lib/flow-lines.js";
import { hidesAmounts } from "../lib/format.js";
import { opening, places } from "../lib/spans.js";
import { BandLines } from "./band-lines.js";
import { candleLook, chartOptions, onLook, paintChart, token } from "./chart-look.js";
import { RunSeries } from "./run-series.js";
import { SpanMarks } from "./span-marks.js";
import { Studies } from "./studies.js";
import { TimeAxis } from "./time-axis.js";
import { VolumeProfile } from "./volume-profile.js";

const NEAR_THE_EDGE = 30;
const BAR_PX = 7;
const MARK_PX = 44;
const FOLLOWS = 1.5;
// px below a pane's edge, under its legend; the middle pane has no words
const WORDS_TOP = [30, undefined, 48];

/** Price, total CVD and CVD by order size, one below the other; what is missing is drawn as missing. */
export class FlowChart {
  #chart;
  #price;
  #total;
  #axis;
  #bands;
  #marks;
  #other;
  #studies;
  #profile = new VolumeProfile();
  #spans;
  #fills = [];
  #ownMarks;
  #last;
  #lines = [];
  #seconds = 60;
  #digits = 2;
  #holes = [];
  #held;
  #placed;
  #aimed;
  #onHover = () => {};
  #isOpenEnded = true;
  #hasBands = true;

  /** `onEdge("older" | "newer")` fires near an end of what is there, `onMove` after scrolling. */
  constructor(element, { onEdge = () => {}, onMove = () => {}, words = {} }) {
    this.element = element;
    this.words = words;
    this.#chart = createChart(
      element,
      chartOptions(() => this.#seconds),
    );
    this.#axis = new TimeAxis(this.#chart.timeScale());
    this.#price = this.#chart.addSeries(CandlestickSeries, {
      lastValueVisible: false,
      priceLineVisible: false,
      priceFormat: {
        type: "custom",
        minMove: 0.01,
        formatter: (value) => priceText(value, this.#digits),
      },
    });
    this.#total = this.#chart.addCustomSeries(
      new RunSeries(),
      {
        lineWidth: 2,
        priceLineVisible: false,
        priceFormat: { type: "custom", minMove: 1, formatter: (value) => compact(value) },
        autoscaleInfoProvider: (original) => withZero(original()),
      },
      1,
    );
    this.#total.createPriceLine({
      price: 0,
      color: token("--outline"),
      lineStyle: 2,
      lineWidth: 1,
      axisLabelVisible: false,
    });
    this.#bands = new BandLines(this.#chart, 2);
    this.#chart.panes()[0].setStretchFactor(50);
    this.#chart.panes()[1].setStretchFactor(19);
    this.#chart.panes()[2].setStretchFactor(31);
    this.#spans = this.#chart.panes().map((pane, at) => {
      const marks = new SpanMarks(this.#axis, WORDS_TOP[at]);
      pane.attachPrimitive(marks);
      return marks;
    });
    this.#price.attachPrimitive(this.#profile);
    this.#studies = new Studies(this.#chart, element);
    this.#chart
      .timeScale()
      .subscribeVisibleLogicalRangeChange((range) => this.#moved(range, onEdge, onMove));
    this.#chart.subscribeCrosshairMove(({ time }) => this.#onHover(time));
    onLook(() => this.#dress());
  }

  get library() {
    return this.#chart;
  }

  get price() {
    return this.#price;
  }

  get axis() {
    return this.#axis;
  }

  get bands() {
    return this.#bands;
  }

  get digits() {
    return this.#digits;
  }

  /** Hears the time under the crosshair, undefined when it has left. */
  set onHover(hear) {
    this.#onHover = hear;
  }

  /** Every bar (with `cvd`, `bandCvd`), the axis from `from` to `to`, and its holes. A `isTick` only moves the newest bars. */
  draw({ lines, seconds, from, to, holes = [], digits = 2, isTick = false, isOpenEnded = true }) {
    const before = this.#lines;
    const isFirst = !this.#axis.count || seconds !== this.#seconds;
    const view = isFirst ? undefined : this.view;
    const wasFollowing = !isFirst && this.isFollowing;
    [this.#lines, this.#seconds, this.#digits, this.#isOpenEnded] = [
      lines,
      seconds,
      digits,
      isOpenEnded,
    ];
    const times = lines.length ? places(lines, seconds, from, to) : [];
    const isAppended =
      isTick &&
      !isFirst &&
      times[0] === this.#axis.first &&
      times.length - this.#axis.count <= 1 &&
      times.length >= this.#axis.count &&
      before.length;
    const wasCount = this.#axis.count;
    this.#axis.set(times, seconds);
    if (isAppended) this.#append(times.slice(-2), wasCount);
    else this.#setAll(times);
    this.#drawLast(lines.at(-1));
    this.#sharePanes(lines);
    this.#holes = holes;
    this.#drawSpans();
    if (isAppended) {
      if (this.#fills.length && this.#axis.count > wasCount) this.#markFills();
      return;
    }
    this.#price.applyOptions({
      priceFormat: {
        type: "custom",
        minMove: 10 ** -digits,
        formatter: (value) => priceText(value, this.#digits),
      },
    });
    this.#markFills();
    if (view && !wasFollowing) this.#show(view);
    else if (view) this.#follow(this.#axis.logical(view.to) - this.#axis.logical(view.from));
  }

  /** Where no band is known theirs is a strip that says so. */
  #sharePanes(lines) {
    const isKnown = !lines.length || lines.some(({ bandCvd }) => bandCvd);
    if (isKnown === this.#hasBands) return;
    this.#hasBands = isKnown;
    this.#chart.panes()[2].setStretchFactor(isKnown ? 31 : 9);
  }

  #setAll(times) {
    const known = new Map(this.#lines.map((line) => [line.time, line]));
    const points = (make) => times.map((time) => ({ time, ...make(known.get(time)) }));
    this.#price.setData(points((line) => (line ? this.#candle(line) : {})));
    this.#total.setData(points((line) => (line ? { value: line.cvd } : {})));
    this.#bands.setData(bandNames(this.#lines), times, known);
  }

  /** The newest two places; the older one is no more the newest where none has come. */
  #append(times, before) {
    const known = new Map(this.#lines.slice(-3).map((line) => [line.time, line]));
    times.forEach((time, at) => {
      const line = known.get(time);
      const isPast = at < times.length - 1 && before === this.#axis.count;
      this.#price.update({ time, ...(line ? this.#candle(line) : {}) }, isPast);
      this.#total.update({ time, ...(line ? { value: line.cvd } : {}) }, isPast);
      this.#bands.update(time, line, isPast);
    });
  }

  /** A bar that still runs is drawn lighter. */
  #candle({ open, high, low, close, isClosed }) {
    if (isClosed !== false) return { open, high, low, close };
    const colour = `${token(close >= open ? "--up" : "--down")}99`;
    const fill = close >= open ? token("--surface") : colour;
    return { open, high, low, close, color: fill, borderColor: colour, wickColor: colour };
  }

  // --- what is seen ------------------------------------------------------------------------------

  /** [from, to] in time (s), undefined before anything is drawn. */
  get view() {
    const range = this.#range;
    if (!range || !this.#axis.count) return undefined;
    return { from: this.#axis.time(range.from), to: this.#axis.time(range.to) };
  }

  /** [first, last] visible open time (s). */
  get visible() {
    const range = this.#chart.timeScale().getVisibleRange();
    return range ? [range.from, range.to] : undefined;
  }

  get firstVisible() {
    return this.visible?.[0];
  }

  /** Whether the newest bar is in sight and new ones will be. */
  get isFollowing() {
    const range = this.#range;
    return !range || (this.#isOpenEnded && range.to >= this.#axis.count - FOLLOWS);
  }

  /** How many bars fit. */
  get room() {
    const view = this.#range;
    const width = this.#chart.timeScale().width() || this.element.clientWidth - 74;
    return view ? view.to - view.from : Math.max(30, Math.round(width / BAR_PX));
  }

  /** The middle of what is seen, as it was asked for where nobody has scrolled since. */
  get centre() {
    const view = this.view;
    if (!view) return undefined;
    const isSame =
      this.#placed &&
      Math.abs(this.#placed.from - view.from) < this.#seconds &&
      Math.abs(this.#placed.to - view.to) < this.#seconds;
    return isSame ? this.#placed.centre : (view.from + view.to) / 2;
  }

  /** As many bars as there is room for around a time; without one, the newest. */
  go(centre, count = this.#firstRoom) {
    if (!this.#axis.count) return;
    if (centre === undefined) {
      this.#placed = undefined;
      this.#follow(count);
      return;
    }
    const middle = Math.min(this.#axis.logical(centre), this.#axis.count + 2 - count / 2);
    this.#aim({ from: middle - count / 2, to: middle + count / 2 });
    this.#placed = { ...this.#span(middle - count / 2, middle + count / 2), centre };
  }

  /** The time at three quarters of the width, where it has run out of the middle. */
  lead(time) {
    const view = this.#range;
    const at = this.#axis.logical(time);
    const room = view ? view.to - view.from : this.#firstRoom;
    if (view && at > view.from + room * 0.2 && at < view.from + room * 0.9) return;
    const from = at - room * 0.75;
    this.#aim({ from, to: from + room });
  }

  /** Everything from one time to another, with some room. */
  fit(from, to) {
    const [a, b] = [this.#axis.logical(from), this.#axis.logical(to)];
    const room = Math.max(2, (b - a) * 0.04);
    this.#aim({ from: a - room, to: b + room });
  }

  get #firstRoom() {
    const width = this.#chart.timeScale().width() || this.element.clientWidth - 74;
    return Math.max(30, Math.round(width / BAR_PX));
  }

  #span(from, to) {
    return { from: this.#axis.time(from), to: this.#axis.time(to) };
  }

  #follow(count) {
    const to = this.#axis.count + 2;
    this.#aim({ from: to - Math.max(10, count), to });
  }

  #show({ from, to }) {
    this.#aim({ from: this.#axis.logical(from), to: this.#axis.logical(to) });
  }

  /** The library goes there with its next frame: until then the old place is still told by it, and a drawing in between would go back to it. */
  #aim(range) {
    this.#aimed = range;
    this.#chart.timeScale().setVisibleLogicalRange(range);
    requestAnimationFrame(() => {
      if (this.#aimed === range) this.#aimed = undefined;
    });
  }

  /** Places that are seen, or will be with the next frame. */
  get #range() {
    return this.#aimed ?? this.#chart.timeScale().getVisibleLogicalRange();
  }

  #moved(range, onEdge, onMove) {
    if (!range || !this.#axis.count) return;
    if (range.from < NEAR_THE_EDGE) onEdge("older");
    if (range.to > this.#axis.count - NEAR_THE_EDGE) onEdge("newer");
    if (this.#fills.length && this.#markWidth() !== this.#markedBy) this.#markFills();
    onMove();
  }

  // --- what is drawn beside the bars --------------------------------------------------------------

  /** The same symbol's other market as a second line beside the total CVD; undefined takes it away. */
  drawOther(lines, title) {
    if (!lines) {
      if (this.#other) this.#chart.removeSeries(this.#other);
      this.#other = undefined;
      return;
    }
    this.#other ??= this.#chart.addCustomSeries(
      new RunSeries(),
      {
        lineWidth: 2,
        isDashed: true,
        title,
        color: token("--warn"),
        priceLineVisible: false,
        priceFormat: { type: "custom", minMove: 1, formatter: (value) => compact(value) },
      },
      1,
    );
    const within = lines.filter(({ time }) => time >= this.#axis.first && time <= this.#axis.last);
    this.#other.setData(within.map(({ time, cvd }) => ({ time, value: cvd })));
  }

  /** Indicators by name, as `/api/indicators` answers them. */
  drawStudies(series) {
    this.#studies.draw(series);
  }

  /** Divergence and absorption of `/api/marks`; `words` names both. */
  drawMarks(rows, words, step) {
    this.#marks ??= createSeriesMarkers(this.#price, []);
    this.#marks.setMarkers(
      rows.map(({ t, kind, side }) => ({
        time: opening(t / 1_000, step),
        position: side === "buy" ? "belowBar" : "aboveBar",
        color: token(side === "buy" ? "--up" : "--down"),
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

  /** The trader's own fills, [{time (s), side, quantity}, …]; those outside the bars are left out. */
  set fills(fills) {
    this.#fills = fills;
    this.#markFills();
  }

  /** A trade's time, tinted: {from, to (s), words}. */
  set held(span) {
    this.#held = span && { ...span, kind: "held" };
    this.#drawSpans();
  }

  /** Words of the bands' pane where only the total is known. */
  #drawSpans() {
    const held = this.#held ? [this.#held] : [];
    const spans = this.#holes.map((hole) => ({ ...hole, kind: "hole" }));
    this.#spans[0].spans = [...held, ...spans];
    this.#spans[1].spans = [...held, ...spans];
    this.#spans[2].spans = [
      ...held.map((span) => ({ ...span, words: [] })),
      ...spans.map((span) => ({ ...span, words: [] })),
      ...this.#withoutBands(),
    ];
  }

  #withoutBands() {
    const spans = [];
    for (const { time, bandCvd } of this.#lines) {
      if (bandCvd) continue;
      const last = spans.at(-1);
      if (last && last.to === time) last.to = time + this.#seconds;
      else
        spans.push({
          from: time,
          to: time + this.#seconds,
          kind: "hole",
          words: [this.words.totalOnly].filter(Boolean),
        });
    }
    return spans;
  }

  /** The newest price on the axis: a hollow candle's own label would be hollow too. */
  #drawLast(line) {
    this.#last ??= this.#price.createPriceLine({
      price: 0,
      lineStyle: 1,
      lineWidth: 1,
      axisLabelTextColor: token("--surface"),
    });
    this.#last.applyOptions({
      price: line?.close ?? 0,
      lineVisible: Boolean(line),
      axisLabelVisible: Boolean(line),
      color: token(line && line.close < line.open ? "--down" : "--up"),
      axisLabelTextColor: token("--surface"),
    });
  }

  #markedBy;

  #markWidth() {
    return Math.ceil(MARK_PX / this.#axis.spacing) * this.#seconds;
  }

  #markFills() {
    this.#markedBy = this.#markWidth();
    this.#ownMarks ??= createSeriesMarkers(this.#price, []);
    const { count, first, last } = this.#axis;
    const here = count ? withinBars(this.#fills, this.#seconds, first, last) : [];
    this.#ownMarks.setMarkers(
      merged(here, this.#seconds, this.#markedBy).map((mark) => ({
        time: opening(mark.time, this.#seconds),
        position: mark.side === "BUY" ? "belowBar" : "aboveBar",
        shape: mark.side === "BUY" ? "arrowUp" : "arrowDown",
        color: token(mark.side === "BUY" ? "--up" : "--down"),
        text: markText(mark, hidesAmounts()),
      })),
    );
  }

  #dress() {
    paintChart(this.#chart);
    this.#price.applyOptions(candleLook());
    this.#total.applyOptions({ color: token("--text"), fill: `${token("--text")}10` });
    this.#other?.applyOptions({ color: token("--warn") });
    this.#bands.dress();
    this.#drawLast(this.#lines.at(-1));
  }
}

/** A range that has zero in it, with a little air. */
function withZero(info) {
  if (!info?.priceRange) return info;
  const { minValue, maxValue } = info.priceRange;
  return {
    ...info,
    priceRange: { minValue: Math.min(0, minValue), maxValue: Math.max(0, maxValue) || 1 },
  };
}
