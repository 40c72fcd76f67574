/** Decimal text with thousands separators and `places` decimals, zero without a sign; rounding is for display only. */
export function money(text, places = 0) {
  const shown = Number(text).toLocaleString(document.documentElement.lang, {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  return /[1-9]/.test(shown) ? shown.replace("-", "−") : shown.replace("-", "");
}

/** The same with the sign of a gain too, so that colour is never the only mark. */
export function signed(text, places = 0) {
  const shown = money(text, places);
  return Number(text) > 0 && /[1-9]/.test(shown) ? `+${shown}` : shown;
}

/** Whether the user hides amounts just now. */
export const hidesAmounts = () => document.body.hasAttribute("data-hides-amounts");

/** The class for a text by the sign that it shows. */
export function toneOf(shown) {
  return { "+": "up", "−": "down" }[shown[0]] ?? "";
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
