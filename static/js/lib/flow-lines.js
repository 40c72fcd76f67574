/** Bars as the API and the socket tell them -> numbers for drawing, longer bars, cumulative lines. */
import { INTERVALS, opening } from "./spans.js";

const DAY = 86_400;
const SUMS = ["buy", "sell", "count", "delta"];

/** One bar of the API (its unit's `bands`) or of the socket (both units) as numbers; `time` in seconds. */
export function lineOf(bar, unit) {
  const bands = "bands" in bar ? bar.bands : bar[unit];
  return {
    time: bar.t / 1_000,
    open: Number(bar.open),
    high: Number(bar.high),
    low: Number(bar.low),
    close: Number(bar.close),
    trades: bar.trades,
    delta: Number(bar.delta ?? bar.buy - bar.sell),
    buy: Number(bar.buy),
    sell: Number(bar.sell),
    isClosed: bar.closed,
    isWhole: bar.complete || !bar.closed,
    bands: bands ? numbers(bands) : null,
  };
}

function numbers(bands) {
  return Object.fromEntries(
    Object.entries(bands).map(([name, band]) => [
      name,
      Object.fromEntries(SUMS.map((key) => [key, Number(band[key])])),
    ]),
  );
}

/** Shorter lines, in time order, rolled up to `seconds`; a part without bands leaves the whole without. */
export function rollUp(lines, seconds) {
  const rolled = [];
  for (const line of lines) {
    const time = opening(line.time, seconds);
    if (rolled.at(-1)?.time === time) add(rolled.at(-1), line);
    else rolled.push({ ...line, time, bands: copied(line.bands) });
  }
  return rolled;
}

function add(whole, part) {
  whole.high = Math.max(whole.high, part.high);
  whole.low = Math.min(whole.low, part.low);
  whole.close = part.close;
  for (const key of ["trades", "delta", "buy", "sell"]) whole[key] += part[key];
  whole.isClosed = part.isClosed;
  whole.isWhole &&= part.isWhole;
  if (!whole.bands || !part.bands) {
    whole.bands = null;
    return;
  }
  for (const [name, band] of Object.entries(part.bands)) {
    const sums = (whole.bands[name] ??= { buy: 0, sell: 0, count: 0, delta: 0 });
    for (const key of SUMS) sums[key] += band[key];
  }
}

function copied(bands) {
  return (
    bands && Object.fromEntries(Object.entries(bands).map(([name, band]) => [name, { ...band }]))
  );
}

/**
 * CVD at each bar's end, in total and by band. `anchor` is "day" (starts again at UTC midnight),
 * "continuous" (from the oldest bar), or a time: the line is 0 where the bar of that time opens.
 * A bar without bands has `bandCvd` null and is passed over by the bands' sums.
 */
export function cumulate(lines, anchor) {
  let total = 0;
  let bands = {};
  let day;
  const summed = lines.map((line) => {
    if (anchor === "day" && day !== undefined && Math.floor(line.time / DAY) !== day)
      [total, bands] = [0, {}];
    day = Math.floor(line.time / DAY);
    total += line.delta;
    if (line.bands) bands = { ...bands, ...added(bands, line.bands) };
    return { ...line, cvd: total, bandCvd: line.bands ? bands : null };
  });
  return typeof anchor === "number" ? anchored(summed, anchor) : summed;
}

function added(sums, bands) {
  return Object.fromEntries(
    Object.entries(bands).map(([name, { delta }]) => [name, (sums[name] ?? 0) + delta]),
  );
}

function anchored(lines, anchor) {
  const before = lines.filter(({ time }) => time < anchor);
  if (!before.length) return lines;
  const total = before.at(-1).cvd;
  const bands = before.findLast(({ bandCvd }) => bandCvd)?.bandCvd ?? {};
  return lines.map((line) => ({
    ...line,
    cvd: line.cvd - total,
    bandCvd:
      line.bandCvd &&
      Object.fromEntries(
        Object.entries(line.bandCvd).map(([name, value]) => [name, value - (bands[name] ?? 0)]),
      ),
  }));
}

/** Names of all bands that any of the lines has. */
export function bandNames(lines) {
  return Object.keys(lines.findLast(({ bands }) => bands)?.bands ?? {});
}

/** What takers bought less what they sold in the newest minute, or in the newest bar where that is longer. */
export function newestDelta(lines, interval) {
  const seconds = INTERVALS[interval];
  const since = (lines.at(-1)?.time ?? 0) + seconds - Math.max(seconds, INTERVALS["1m"]);
  const delta = lines
    .filter(({ time }) => time >= since)
    .reduce((sum, line) => sum + line.delta, 0);
  return { span: seconds > INTERVALS["1m"] ? interval : "1m", delta };
}
