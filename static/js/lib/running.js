/** What a trade stood at in the midst of it, from its fills: before fees, in the quote asset. */

/** Fills so far: the cash they moved and what is still held, at this price. */
export function runningResult(fills, time, price) {
  const past = fills.filter((fill) => fill.time <= time);
  if (!past.length) return undefined;
  const sign = ({ side }) => (side === "BUY" ? 1 : -1);
  const held = past.reduce((sum, fill) => sum + sign(fill) * Number(fill.quantity), 0);
  const cash = past.reduce((sum, fill) => sum - sign(fill) * Number(fill.quantity) * fill.price, 0);
  return cash + held * price;
}
