/** Bars in time: where one opens, which are missing, and what stands between two holes. Times in seconds. */

/** Name of a bar's length -> seconds. */
export const INTERVALS = {
  "1s": 1,
  "5s": 5,
  "1m": 60,
  "3m": 180,
  "5m": 300,
  "15m": 900,
  "1h": 3_600,
  "4h": 14_400,
  "1d": 86_400,
  "1w": 604_800,
};

// a hole is never drawn wider than this, however long it was
const MOST_EMPTY = 1_000;
const WEEK = 604_800;
// the epoch was a Thursday, weeks begin on Monday
const FIRST_MONDAY = 4 * 86_400;

/** When the bar that holds this moment opened. */
export function opening(time, seconds) {
  const shift = seconds === WEEK ? FIRST_MONDAY : 0;
  return Math.floor((time - shift) / seconds) * seconds + shift;
}

/** The newest line between the open times of the first and the last place in view, if any is there. */
export function lastInView(lines, [first, last] = [-Infinity, Infinity]) {
  const line = lines.findLast(({ time }) => time <= last);
  return line?.time >= first ? line : undefined;
}

/** How much of a stretch of time its lines cover, 0 to 1. */
export function coverage(lines, seconds, from, to) {
  const inside = lines.filter(({ time }) => time + seconds > from && time < to);
  return Math.min(1, (inside.length * seconds) / (to - from));
}

/**
 * Every place on the time axis from `from` to `to` (open times, both drawn), holes included. A hole of
 * more than MOST_EMPTY bars takes that many places, evenly spread over it.
 */
export function places(lines, seconds, from, to) {
  const times = [];
  let next = from;
  for (const { time } of [...lines, { time: to + seconds }]) {
    for (const empty of emptyPlaces(next, time, seconds)) times.push(empty);
    if (time <= to) times.push(time);
    next = time + seconds;
  }
  return times;
}

function emptyPlaces(from, to, seconds) {
  const count = Math.max(0, Math.round((to - from) / seconds));
  const shown = Math.min(count, MOST_EMPTY);
  return Array.from(
    { length: shown },
    (_, index) => from + Math.floor((index * count) / shown) * seconds,
  );
}

/** Lines cut where a bar is missing, or where `isKnown` says that its value is. */
export function runs(lines, seconds, isKnown = () => true) {
  const cut = [];
  let last;
  for (const line of lines) {
    if (!isKnown(line)) {
      last = undefined;
      continue;
    }
    if (last === undefined || line.time - last > seconds) cut.push([]);
    cut.at(-1).push(line);
    last = line.time;
  }
  return cut;
}

/**
 * What is missing between `from` and `to` (open times): bars that are not there, and closed ones that
 * are not whole. `missing` and `gaps` are the API's (ms) and say why. Oldest first, never touching.
 */
export function holes(lines, seconds, { from, to, missing = [], gaps = [] }) {
  const empty = [];
  let next = from;
  for (const line of [...lines, { time: to, isWhole: true }]) {
    if (line.time > next) join(empty, next, line.time);
    if (line.isWhole === false) join(empty, line.time, line.time + seconds);
    next = Math.max(next, line.time + seconds);
  }
  return empty.map((hole) => ({
    ...hole,
    ...reason(hole, missing),
    trades: lostTrades(hole, gaps),
  }));
}

function join(spans, from, to) {
  const last = spans.at(-1);
  if (last && last.to >= from) last.to = Math.max(last.to, to);
  else spans.push({ from, to });
}

const touches = (hole, span) => span.from < hole.to * 1_000 && span.to > hole.from * 1_000;

function reason(hole, missing) {
  const said = missing.filter((span) => touches(hole, span));
  const told = said.find(({ state }) => state === "fetching") ?? said[0];
  return { state: told?.state ?? "missing", reason: told?.reason ?? null };
}

/** How many trades are known to be missing in a hole. */
function lostTrades(hole, gaps) {
  return gaps
    .filter(
      (gap) => gap.state !== "filled" && gap.from <= hole.to * 1_000 && gap.to >= hole.from * 1_000,
    )
    .reduce((count, gap) => count + gap.to_id - gap.from_id + 1, 0);
}
