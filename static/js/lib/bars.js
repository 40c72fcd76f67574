const DAY = 86_400;

/** Minutes of one tape, merged by open time; never appended blindly. */
export class Bars {
  #byTime = new Map();

  /** Takes the API's bars (one unit's `bands`) or the socket's (both units). */
  merge(bars, unit) {
    for (const bar of bars) {
      const known = this.#byTime.get(bar.t) ?? {};
      const bands = bar.bands ? { [unit]: bar.bands } : { trade: bar.trade, order: bar.order };
      this.#byTime.set(bar.t, { ...known, ...bar, ...bands });
    }
  }

  /** Open time (ms) of the oldest minute, undefined while there is none. */
  get oldest() {
    return this.#byTime.size ? Math.min(...this.#byTime.keys()) : undefined;
  }

  /** Minutes rolled up to `seconds`, in time order, with numbers for drawing. */
  rolled(unit, seconds) {
    const rolled = [];
    for (const t of [...this.#byTime.keys()].sort((a, b) => a - b)) {
      const bar = this.#byTime.get(t);
      const time = Math.floor(t / 1_000 / seconds) * seconds;
      if (rolled.at(-1)?.time !== time) rolled.push(empty(time, bar));
      add(rolled.at(-1), bar, bar[unit] ?? {});
    }
    return rolled;
  }
}

/**
 * CVD at each bar's end, in total and by band. `anchor` is "day" (starts again at UTC midnight),
 * "continuous" (from the oldest bar), or the time (s) of the first visible bar, where the line is 0.
 */
export function cumulate(rolled, anchor) {
  let total = 0;
  let bands = {};
  let day;
  const lines = rolled.map((bar) => {
    if (anchor === "day" && day !== undefined && Math.floor(bar.time / DAY) !== day)
      [total, bands] = [0, {}];
    day = Math.floor(bar.time / DAY);
    total += bar.delta;
    for (const [name, band] of Object.entries(bar.bands))
      bands[name] = (bands[name] ?? 0) + band.delta;
    return { ...bar, cvd: total, bandCvd: { ...bands } };
  });
  if (typeof anchor !== "number") return lines;
  const before = lines.findLast(({ time }) => time < anchor);
  return before ? lines.map((line) => shifted(line, before)) : lines;
}

function shifted(line, before) {
  const bandCvd = Object.fromEntries(
    Object.entries(line.bandCvd).map(([name, value]) => [
      name,
      value - (before.bandCvd[name] ?? 0),
    ]),
  );
  return { ...line, cvd: line.cvd - before.cvd, bandCvd };
}

function empty(time, bar) {
  return {
    time,
    open: Number(bar.open),
    high: -Infinity,
    low: Infinity,
    close: 0,
    delta: 0,
    isComplete: true,
    bands: {},
  };
}

function add(rolled, bar, bands) {
  rolled.high = Math.max(rolled.high, Number(bar.high));
  rolled.low = Math.min(rolled.low, Number(bar.low));
  rolled.close = Number(bar.close);
  rolled.delta += Number(bar.delta);
  rolled.isComplete &&= bar.complete || !bar.closed;
  for (const [name, band] of Object.entries(bands)) {
    const sums = (rolled.bands[name] ??= { buy: 0, sell: 0, count: 0, delta: 0 });
    for (const key of ["buy", "sell", "count", "delta"]) sums[key] += Number(band[key]);
  }
}
