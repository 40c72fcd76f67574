import { csrf } from "./csrf.js";

/** One answer of the API as JSON. Throws on any refusal. */
export async function read(address, query) {
  const answer = await fetch(`${address}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

/**
 * The CVD endpoints in every unit that the market has: [{unit, bars, gaps, …}, …]. Futures tell
 * aggregates, whose single trades nobody knows. Throws on any refusal.
 */
export function readUnits(path, query) {
  const units = query.market === "usdm" ? ["order"] : ["trade", "order"];
  return Promise.all(units.map((unit) => read(`/api/cvd/${path}`, { ...query, unit })));
}

/** Changes something; its answer, or null where there is none. Throws with the API's own sentence. */
export async function send(method, address, body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf() };
  const answer = await fetch(address, { method, headers, body: body && JSON.stringify(body) });
  const said = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Error(
      Object.values(said)
        .flat()
        .filter((word) => typeof word === "string")
        .join(" "),
    );
  return said;
}
