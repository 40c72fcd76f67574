import { compact } from "../lib/amounts.js";
import { token } from "./chart-look.js";
import { EndLabels } from "./end-labels.js";
import { RunSeries } from "./run-series.js";

// widths grow with the size, as the colours' weight does
const WIDTHS = [1, 1, 1, 2, 2, 3];
const FAINT = 0.25;

/** One line a band, each by its own scale with all zeros at one height, or all by one. */
export class BandLines {
  #chart;
  #pane;
  #base;
  #ends;
  #series = new Map();
  #ranges = new Map();
  #hidden = new Set();
  #values = new Map();
  #hasOwnScales = true;

  constructor(chart, pane) {
    [this.#chart, this.#pane] = [chart, pane];
    this.#base = chart.addCustomSeries(
      new RunSeries(),
      {
        priceLineVisible: false,
        lastValueVisible: false,
        color: "transparent",
        priceFormat: {
          type: "custom",
          minMove: 1,
          formatter: (value) => (this.#hasOwnScales ? "" : compact(value)),
        },
        autoscaleInfoProvider: () => this.#scale(),
      },
      pane,
    );
    this.#base.createPriceLine({
      price: 0,
      lineStyle: 2,
      lineWidth: 1,
      color: token("--outline"),
      axisLabelVisible: false,
    });
    this.#ends = new EndLabels(() => this.#labels());
    this.#base.attachPrimitive(this.#ends);
  }

  get names() {
    return [...this.#series.keys()];
  }

  colour(name) {
    return token(`--band-${Math.min(5, this.names.indexOf(name))}`);
  }

  /** `lines` by time; a time without one, or one without bands, is a hole. */
  setData(names, times, lines) {
    names.forEach((name, index) => this.#add(name, index));
    for (const [name, series] of this.#series) {
      const values = times.map((time) => lines.get(time)?.bandCvd?.[name]);
      this.#values.set(name, { times, values });
      series.setData(
        times.map((time, at) =>
          values[at] === undefined ? { time } : { time, value: values[at] },
        ),
      );
    }
    this.#base.setData(times.map((time) => ({ time, value: 0 })));
    this.#ends.draw();
  }

  update(time, line, isPast) {
    this.#base.update({ time, value: 0 }, isPast);
    for (const [name, series] of this.#series) {
      const value = line?.bandCvd?.[name];
      const { times, values } = this.#values.get(name);
      if (times.at(-1) === time) values[values.length - 1] = value;
      else if (times.at(-2) === time) values[values.length - 2] = value;
      else this.#values.set(name, { times: [...times, time], values: [...values, value] });
      series.update(value === undefined ? { time } : { time, value }, isPast);
    }
    this.#ends.draw();
  }

  set hasOwnScales(isOwn) {
    this.#hasOwnScales = isOwn;
    this.names.forEach((name, index) =>
      this.#series.get(name).applyOptions({ priceScaleId: this.#scaleId(index) }),
    );
    this.#chart.timeScale().applyOptions({}); // the axis is drawn anew
  }

  /** Returns whether the band is shown now. */
  toggle(name) {
    const isShown = this.#hidden.has(name);
    this.#hidden[isShown ? "delete" : "add"](name);
    this.#series.get(name)?.applyOptions({ visible: isShown });
    this.#ends.draw();
    return isShown;
  }

  /** One band stands out, the others are faint; undefined ends it. */
  light(chosen) {
    for (const [name, series] of this.#series)
      series.applyOptions({ opacity: chosen && name !== chosen ? FAINT : 1 });
  }

  /** The shown band whose line is nearest to a place of the pane; undefined where none is. */
  nearest(logical, y) {
    const away = (name) => {
      const { values } = this.#values.get(name);
      const at = Math.max(0, Math.min(values.length - 1, Math.round(logical)));
      const place =
        values[at] === undefined ? null : this.#series.get(name).priceToCoordinate(values[at]);
      return place === null ? Number.POSITIVE_INFINITY : Math.abs(place - y);
    };
    const shown = this.names.filter((name) => !this.#hidden.has(name) && this.#values.has(name));
    const [name] = shown.sort((a, b) => away(a) - away(b));
    return name !== undefined && away(name) < Number.POSITIVE_INFINITY ? name : undefined;
  }

  dress() {
    for (const [name, series] of this.#series) series.applyOptions({ color: this.colour(name) });
    this.#ends.draw();
  }

  #add(name, index) {
    if (this.#series.has(name)) return;
    this.#series.set(
      name,
      this.#chart.addCustomSeries(
        new RunSeries(),
        {
          priceScaleId: this.#scaleId(index),
          lineWidth: WIDTHS[index] ?? 1,
          color: token(`--band-${Math.min(5, index)}`),
          priceFormat: { type: "custom", minMove: 1, formatter: (value) => compact(value) },
          lastValueVisible: false,
          priceLineVisible: false,
          visible: !this.#hidden.has(name),
          autoscaleInfoProvider: () => (this.#hasOwnScales ? this.#ownScale(name) : this.#scale()),
        },
        this.#pane,
      ),
    );
  }

  #scaleId(index) {
    return this.#hasOwnScales ? `band${index}` : "right";
  }

  /** Lowest and highest visible value of each shown band. */
  #visibleRanges() {
    this.#ranges.clear();
    for (const [name, { values }] of this.#values) {
      if (this.#hidden.has(name)) continue;
      let [low, high] = [0, 0];
      const [from, to] = this.#placesInView(values);
      for (let at = from; at <= to; at += 1) {
        if (values[at] === undefined) continue;
        low = Math.min(low, values[at]);
        high = Math.max(high, values[at]);
      }
      this.#ranges.set(name, [low, high]);
    }
    return this.#ranges;
  }

  #placesInView({ length }) {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (!range) return [0, length - 1];
    return [Math.max(0, Math.floor(range.from)), Math.min(length - 1, Math.ceil(range.to))];
  }

  #scale() {
    const ranges = [...this.#visibleRanges().values()];
    const [low, high] = [
      Math.min(0, ...ranges.map(([a]) => a)),
      Math.max(0, ...ranges.map(([, b]) => b)),
    ];
    return { priceRange: { minValue: low, maxValue: low === high ? 1 : high } };
  }

  /** All bands share how much of the pane is above zero, each by the greatest value that it has itself. */
  #ownScale(name) {
    const ranges = this.#visibleRanges();
    const shares = [...ranges.values()].map(([low, high]) =>
      [low, high].map((end) => end / (Math.max(-low, high) || 1)),
    );
    const [low, high] = [
      Math.min(0, ...shares.map(([a]) => a)),
      Math.max(0, ...shares.map(([, b]) => b)),
    ];
    const own = ranges.get(name) ?? [0, 0];
    const most = Math.max(-own[0], own[1]) || 1;
    return { priceRange: { minValue: low * most, maxValue: (low === high ? 1 : high) * most } };
  }

  /** Where a line ends for whoever looks at it. */
  #lastInView(values) {
    const [from, to] = this.#placesInView(values);
    return values.slice(from, to + 1).findLast((known) => known !== undefined);
  }

  #labels() {
    return this.names
      .filter((name) => !this.#hidden.has(name))
      .map((name) => {
        const value = this.#lastInView(this.#values.get(name)?.values ?? []);
        return {
          y: value === undefined ? undefined : this.#series.get(name).priceToCoordinate(value),
          text: compact(value ?? Number.NaN),
          color: this.colour(name),
        };
      });
  }
}
