/** Own fills as marks: those of one side that would stand nearer than `apart` (s) are one. */
import { opening } from "./spans.js";

/** Those in a bar that is drawn: a mark outside would be put on the first or the last one. */
export function withinBars(fills, step, first, last) {
  return fills.filter(({ time }) => time >= first && opening(time, step) <= last);
}

/** [{time (s), side, quantity}] -> [{time, side, count, quantity}], oldest first; `time` is a bar's. */
export function merged(fills, step, apart = step) {
  const width = Math.max(step, Math.ceil(apart / step) * step);
  const marks = new Map();
  for (const { time, side, quantity } of fills) {
    const key = `${side}${Math.floor(time / width)}`;
    const mark = marks.get(key) ?? {
      time: Math.floor(time / step) * step,
      side,
      count: 0,
      quantity: 0,
    };
    mark.count += 1;
    mark.quantity += Number(quantity);
    marks.set(key, mark);
  }
  return [...marks.values()].sort((a, b) => a.time - b.time);
}

/** 0.25, or 0.42 (3) where several are one; nothing but the count while amounts are hidden. */
export function markText({ count, quantity }, isHidden) {
  const amount = isHidden ? "" : String(Number(quantity.toPrecision(4)));
  return count > 1 ? `${amount} (${count})`.trim() : amount;
}
