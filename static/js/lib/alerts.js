/** Alerts from wherever the eye is: a form that knows what was pointed at, and the API. */
import { csrf } from "./csrf.js";

/** The address of a new alert's form, e.g. `newAlert({ kind: "price_crosses", market, symbol, level })`. */
export function newAlert(known) {
  const given = Object.entries(known).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  return `/alerts/new/?${new URLSearchParams(given)}`;
}

/** Makes an alert at once; `{ ok, answer }`, where a refusal's answer names its fields. */
export const createAlert = (body) => post("/api/alerts", body);

/** When an alert of this body would have told something: `{ ok, answer: { events, count, start } }`. */
export const previewAlert = (body) => post("/api/alerts/preview", body);

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
    body: JSON.stringify(body),
  });
  return { ok: response.ok, answer: await response.json() };
}
