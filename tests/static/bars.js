/** Bars as the API tells them, for the tests of this folder. */

export function apiBar(t, change = {}) {
  return {
    t: t * 1_000,
    closed: true,
    complete: true,
    open: "100.5",
    high: "101",
    low: "100",
    close: "100.75",
    trades: 3,
    buy: "30",
    sell: "10",
    delta: "20",
    bands: { "<100": band(30, 10) },
    ...change,
  };
}

export function band(buy, sell, count = 1) {
  return { buy: String(buy), sell: String(sell), count, delta: String(buy - sell) };
}

/** A line as drawn, of which the tests look at some figures only. */
export function line(time, delta = 0, bands = {}) {
  const sums = Object.fromEntries(
    Object.entries(bands ?? {}).map(([name, of]) => [name, { delta: of }]),
  );
  return { time, delta, isWhole: true, bands: bands && sums };
}
