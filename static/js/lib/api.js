/** One answer of the API as JSON. Throws on any refusal. */
export async function read(address, query) {
  const answer = await fetch(`${address}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

/** The CVD endpoints, both units at once: [{unit, bars, gaps, …}, …]. Throws on any refusal. */
export function readBoth(path, query) {
  return Promise.all(["trade", "order"].map((unit) => read(`/api/cvd/${path}`, { ...query, unit })));
}
