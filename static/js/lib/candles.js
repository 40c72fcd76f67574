/** Candles of a trade's own address in the shape of the API's bars, where the market has no bars of its own here. */
import { INTERVALS } from "./spans.js";

/** Name of a length in seconds, undefined where there is no such interval. */
export function intervalOf(seconds) {
  return Object.entries(INTERVALS).find(([, length]) => length === seconds)?.[0];
}

/** Answers as /api/cvd/range does, from [[s, open, high, low, close, delta], …]. */
export function askCandles(candles) {
  return async ({ start, end, before, limit }) => {
    const last = end ?? before ?? Number.POSITIVE_INFINITY;
    const within = candles.filter(
      ([time]) => time * 1_000 < last && time * 1_000 >= (start ?? Number.NEGATIVE_INFINITY),
    );
    const bars = (limit ? within.slice(-limit) : within).map(barOf);
    return { bars, gaps: [], missing: [] };
  };
}

function barOf([time, open, high, low, close, delta]) {
  return {
    t: time * 1_000,
    closed: true,
    complete: true,
    open,
    high,
    low,
    close,
    trades: 0,
    delta,
    buy: Math.max(0, delta),
    sell: Math.max(0, -delta),
    bands: null,
  };
}
