import { hidesAmounts, signed } from "./format.js";

/**
 * An amount of money in the unit that its element names: `per` is how much money one of the unit is,
 * `unit` is %, R or nothing. Null where that unit knows nothing of it.
 */
export function resultText(value, { per, unit = "", currency = "" }) {
  if (!unit) return signed(value, 2).replace(/^[+−]?/, (sign) => sign + currency);
  return Number(per) ? `${signed(Number(value) / Number(per), 2)}${unit}` : null;
}

/** Only money is hidden: per cent and R tell nothing of its size. */
export const isHidden = ({ unit = "" }) => !unit && hidesAmounts();
