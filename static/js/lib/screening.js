/** Rows of markets as a screener shows them: the gap between spot and futures, sorted, filtered. */

/** Columns by which rows are sorted, and how a row's value is read. */
export const COLUMNS = {
  symbol: (row) => row.symbol,
  price: (row) => numberOf(row.price),
  change: (row) => numberOf(row.change_pct),
  "1m": (row) => numberOf(row.delta["1m"]),
  "5m": (row) => numberOf(row.delta["5m"]),
  "1h": (row) => hourOf(row).value,
  gap: (row) => row.gap ?? null,
};

const numberOf = (text) => (text === null || text === undefined ? null : Number(text));

/** The last hour's delta and how many minutes of it are known. */
export function hourOf({ delta, cvd }) {
  const whole = numberOf(delta["1h"]);
  if (whole !== null) return { value: whole, minutes: 60 };
  if (cvd.length < 2) return { value: null, minutes: 0 };
  return { value: Number(cvd.at(-1)) - Number(cvd[0]), minutes: cvd.length - 1 };
}

/** Each row with `gap`: the hour's delta of its future less that of spot, where both are known for as long. */
export function withGaps(rows) {
  const hours = new Map(rows.map((row) => [`${row.market}:${row.symbol}`, hourOf(row)]));
  return rows.map((row) => {
    const [spot, future] = ["spot", "usdm"].map((market) => hours.get(`${market}:${row.symbol}`));
    const isKnown =
      spot?.value != null && future?.value != null && Math.abs(spot.minutes - future.minutes) <= 1;
    return { ...row, gap: isKnown ? future.value - spot.value : null };
  });
}

/** `sort` is a column's name, with minus from the largest down; what is not known comes last. */
export function sorted(rows, sort) {
  const name = sort.replace(/^-/, "");
  const read = COLUMNS[name];
  if (!read) return rows;
  const sign = sort.startsWith("-") ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [read(a), read(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
  });
}

/** `word` is part of the symbol; `market` spot, usdm or all; `flow` with (Δ 5m and the price of 24 h go one way), against, or all. */
export function filtered(rows, { word = "", market = "all", flow = "all" }) {
  return rows.filter((row) => {
    const isNamed = row.symbol.includes(word.trim().toUpperCase());
    const isThere = market === "all" || row.market === market;
    return isNamed && isThere && (flow === "all" || flow === agreement(row));
  });
}

function agreement({ delta, change_pct: change }) {
  const product = Number(delta["5m"] ?? 0) * Number(change ?? 0);
  return product > 0 ? "with" : product < 0 ? "against" : "";
}

/** A heat's class by the share of the column's largest: five strengths for each sign. */
export function heatClass(value, largest) {
  if (!value || !largest) return "";
  const strength = Math.max(1, Math.min(5, Math.ceil((Math.abs(value) / largest) * 5)));
  return `heat-${value > 0 ? "up" : "down"}-${strength}`;
}
