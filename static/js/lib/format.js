/** Decimal text with thousands separators and at most `places` decimals; rounding is for display only. */
export function money(text, places = 0) {
  const value = Number(text);
  return value.toLocaleString(document.documentElement.lang, {
    minimumFractionDigits: places, maximumFractionDigits: places,
  });
}

/** The same with a sign that is always there, so that colour is never the only mark. */
export function signed(text, places = 0) {
  return (Number(text) > 0 ? "+" : "") + money(text, places);
}
