import { csrf } from "./csrf.js";

/** The zone that this browser's clock is of. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

/** Tells the server the browser's zone where its owner has not chosen one; true where that changes the page. */
export async function offerZone(known) {
  const zone = ownZone();
  if (!zone) return false;
  const answer = await fetch("/settings/zone/", {
    method: "POST",
    headers: { "X-CSRFToken": csrf() },
    body: new URLSearchParams({ zone }),
  });
  return answer.ok && zone !== known;
}
