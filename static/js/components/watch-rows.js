import { compact } from "../lib/amounts.js";
import { price, signed, toneOf } from "../lib/format.js";
import { sparkline } from "./sparkline.js";

/** Where a market's page is. */
export function address({ market, symbol }) {
  return market === "usdm"
    ? `/market/usdm/${encodeURIComponent(symbol)}/`
    : `/market/${encodeURIComponent(symbol)}/`;
}

export const key = ({ market, symbol }) => `${market}:${symbol}`;

/** Compact lines of a watch-list beside the chart: symbol, CVD of the hour, price, 24 h change. */
export function drawRows(element, rows, current, empty) {
  element.replaceChildren(...rows.map((row) => line(row, key(row) === current)));
  if (!rows.length)
    element.append(
      Object.assign(document.createElement("p"), { className: "hint", textContent: empty }),
    );
}

function line(row, isCurrent) {
  const link = Object.assign(document.createElement("a"), {
    href: address(row),
    className: "watch-row",
  });
  if (isCurrent) link.setAttribute("aria-current", "page");
  const name = cell(row.symbol, "watch-name");
  if (row.market === "usdm")
    name.append(
      Object.assign(document.createElement("span"), { className: "tag", textContent: "USD-M" }),
    );
  const change = cell(changeText(row), `number ${toneOf(changeText(row))}`);
  const flow = cell(
    row.delta["5m"] === null ? "–" : compact(Number(row.delta["5m"])),
    `number ${tone(row.delta["5m"])}`,
  );
  flow.title = `Δ 5 m: ${row.delta["5m"] === null ? "–" : signed(row.delta["5m"])}`;
  link.append(
    name,
    sparkline(row.cvd),
    cell(row.price === null ? "–" : price(row.price), "number"),
    change,
    flow,
  );
  return link;
}

export function changeText({ change_pct: change }) {
  return change === null ? "–" : `${signed(change, 2)} %`;
}

/** A class by sign, none without a value. */
export function tone(text) {
  return text === null || Number(text) === 0 ? "" : Number(text) < 0 ? "down" : "up";
}

function cell(text, className) {
  return Object.assign(document.createElement("span"), { textContent: text, className });
}
