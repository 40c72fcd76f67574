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

/** One marker a bar, with how often it told something in it. */
export function markersAt(events, seconds, color) {
  const counts = new Map();
  for (const { at } of events) {
    const time = Math.floor(at / 1_000 / seconds) * seconds;
    counts.set(time, (counts.get(time) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([time, count]) => ({
      time,
      position: "aboveBar",
      shape: "arrowDown",
      color,
      text: count > 1 ? String(count) : "",
    }));
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
    body: JSON.stringify(body),
  });
  return { ok: response.ok, answer: await response.json() };
}
