/** Reads a part of this page again every few seconds; the server renders it, so nothing is lost. */
for (const part of document.querySelectorAll("[data-refresh]")) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": "refresh" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        part.replaceChildren(...page.body.childNodes);
      }
      part.classList.toggle("is-stale", !answer.ok);
    } catch {
      part.classList.add("is-stale");
    }
  }, Number(part.dataset.refresh) * 1_000);
}
