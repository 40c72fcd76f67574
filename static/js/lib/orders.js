import { csrf } from "./csrf.js";

/** A key for one click: repeated by the browser it still places one order. */
export function newKey() {
  return crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].join("-");
}

/** {status, body} of a request about orders; never throws for a refusal, since each has its words. */
export async function ask(method, address, body, key) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf() };
  if (key) headers["Idempotency-Key"] = key;
  const sent = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  // 0: nobody answered, so nobody knows what came of it
  const answer = await fetch(address, sent).catch(() => null);
  if (!answer) return { status: 0, body: {} };
  const said = await answer.json().catch(() => ({}));
  return { status: answer.status, body: said };
}

/** A code such as `BUY` in the reader's words, which stand in `data-word-buy`; itself where none do. */
export function wordOf(code, words) {
  const text = String(code ?? "");
  return words[`word${text.slice(0, 1)}${text.slice(1).toLowerCase()}`] ?? text;
}

/** Targets as they are typed: prices, or multiples of the risk such as `1R 2.5R`. */
export function targetsOf(text, entry, stop, tick) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  return words
    .map((word) => {
      const times = /^([\d.]+)r$/i.exec(word);
      if (!times) return word;
      if (!entry || !stop) return "";
      const price = Number(entry) + (Number(entry) - Number(stop)) * Number(times[1]);
      return (Math.round(price / tick) * tick).toFixed(placesOf(tick));
    })
    .filter(Boolean);
}

/** Decimal places of a step such as 0.01. */
export function placesOf(step) {
  return (String(step).split(".")[1] ?? "").length;
}

/** The coarsest step that a typed price shows; 0.01 where it shows none. */
export function tickOf(...prices) {
  const places = Math.max(0, ...prices.filter(Boolean).map((price) => placesOf(price)));
  return places ? Number(`1e-${places}`) : 1;
}

/** A price at the nearest step, with the step's places. */
export function rounded(price, tick) {
  const step = Number(tick) || 0.01;
  return (Math.round(price / step) * step).toFixed(placesOf(tick || "0.01"));
}
