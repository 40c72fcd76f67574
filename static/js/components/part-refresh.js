/** Reads a part of this page again while something in it is being computed; the server renders it. */
const EVERY_MS = 2_000;

export function bindPartRefresh(part, onChange = () => {}) {
  if (!part.querySelector("[data-computing]")) return;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": "refresh" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      part.replaceChildren(...page.body.childNodes);
    } catch {
      return;
    }
    if (part.querySelector("[data-computing]")) return;
    clearInterval(timer);
    onChange(part);
  }, EVERY_MS);
}
