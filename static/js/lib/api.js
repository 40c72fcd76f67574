/** The CVD endpoints, both units at once: [{unit, bars, gaps, …}, …]. Throws on any refusal. */
export function readBoth(path, query) {
  return Promise.all(["trade", "order"].map(async (unit) => {
    const answer = await fetch(`/api/cvd/${path}?${new URLSearchParams({ ...query, unit })}`);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }));
}
