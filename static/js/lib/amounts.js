/** Figures of charts: axes, legends, end labels. A minus is U+2212, a gain has its +, zero no sign. */

const STEPS = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
];

/** 1,234,567 -> +1.23M: three significant digits. */
export function compact(value, { isSigned = true } = {}) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const [unit, letter] = STEPS.find(([step]) => size >= step * 0.9995) ?? [1, ""];
  const shown = digits(size / unit, letter);
  if (!/[1-9]/.test(shown)) return "0";
  return `${value < 0 ? "−" : isSigned ? "+" : ""}${shown}${letter}`;
}

function digits(value, letter) {
  if (!letter)
    return value >= 100 || Number.isInteger(value)
      ? String(Math.round(value))
      : String(Number(value.toFixed(value >= 1 ? 1 : 4)));
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** A price with thousands separators and as many decimals as the market has. */
export function priceText(value, places) {
  if (!Number.isFinite(value)) return "–";
  const shown = Math.abs(value).toLocaleString("en", {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  return value < 0 && /[1-9]/.test(shown) ? `−${shown}` : shown;
}

/** 1k–10k, ≥1M: a band as one reads it, not as the API spells it. */
export const bandText = (name) => name.replace("-", "–").replace(">=", "≥");

/** How many decimals the prices of these texts have, at most 8. */
export function decimals(texts) {
  return Math.min(
    8,
    Math.max(0, ...texts.map((text) => String(text).replace(/0+$/, "").split(".")[1]?.length ?? 0)),
  );
}

/** A share of one as a percentage with its sign. */
export function percentText(value, places = 2) {
  const shown = Math.abs(value * 100).toFixed(places);
  return `${/[1-9]/.test(shown) ? (value < 0 ? "−" : "+") : ""}${shown}%`;
}

/** 5400 -> 1 h 30 m: the two largest parts of a span of seconds. */
export function spanText(seconds) {
  const parts = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "m"],
    [1, "s"],
  ];
  let left = Math.abs(Math.round(seconds));
  const words = [];
  for (const [size, letter] of parts) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) words.push(`${count} ${letter}`);
  }
  return words.slice(0, 2).join(" ") || "0 s";
}

/** The class for a figure's colour. */
export const toneOfValue = (value) => (value > 0 ? "up" : value < 0 ? "down" : "");
