/** Decimal text with thousands separators and at most `places` decimals; rounding is for display only. */
export function money(text, places = 0) {
  const value = Number(text);
  return value.toLocaleString(document.documentElement.lang, {
    minimumFractionDigits: places, maximumFractionDigits: places,
  }).replace("-", "−");
}

/** The same with a sign that is always there, so that colour is never the only mark. */
export function signed(text, places = 0) {
  return (Number(text) > 0 ? "+" : "") + money(text, places);
}

/** How many decimals a decimal text has. */
export function places(text) {
  return String(text).split(".")[1]?.length ?? 0;
}

/** A price with as many decimals as its size asks for. */
export function price(text) {
  const value = Math.abs(Number(text));
  return money(text, value >= 1_000 ? 2 : value >= 1 ? 4 : 8);
}

/** 1234567 -> 1.2M: for small cells; the exact figure belongs into a title. */
export function short(text) {
  const value = Number(text);
  return (value > 0 ? "+" : "") + value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 }).replace("-", "−");
}
