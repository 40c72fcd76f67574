/** Bars of one tape, merged by open time, with cumulative lines from the first bar on. */
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

  /** In time order: {time (s), bar, cvd, bands: {name: cvd}}, bands only where the unit is known. */
  lines(unit) {
    const times = [...this.#byTime.keys()].sort((a, b) => a - b);
    let total = 0;
    const sums = {};
    return times.map((t) => {
      const bar = this.#byTime.get(t);
      total += Number(bar.delta);
      for (const [name, band] of Object.entries(bar[unit] ?? {})) {
        sums[name] = (sums[name] ?? 0) + Number(band.delta);
      }
      return { time: t / 1_000, bar, cvd: total, bands: { ...sums } };
    });
  }
}
