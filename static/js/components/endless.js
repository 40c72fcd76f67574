/** Goes on with the next page when the foot of the list comes near; what was chosen stays chosen. */
export function bindEndless(pager, table, onGrown) {
  let isReading = false;
  const watcher = new IntersectionObserver(
    async ([{ isIntersecting }]) => {
      const next = pager.querySelector("a[rel=next]");
      if (!isIntersecting || isReading || !next) return;
      isReading = true;
      try {
        await append(next.href);
      } catch {
        watcher.disconnect(); // the links of the pager are there
      } finally {
        isReading = false;
      }
    },
    { rootMargin: "600px" },
  );
  watcher.observe(pager);

  async function append(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const body of page.querySelectorAll("[data-table] tbody")) {
      for (const row of body.rows) row.dataset.page = address;
      joinDay(table, document.importNode(body, true));
    }
    const foot = page.querySelector("[data-pager]");
    pager.querySelector("a[rel=prev]")?.remove();
    const next = foot?.querySelector("a[rel=next]");
    if (next) pager.querySelector("a[rel=next]").href = next.href;
    else pager.remove();
    onGrown();
  }
}

/** A day that both pages have is one day. */
function joinDay(table, body) {
  const last = table.tBodies[table.tBodies.length - 1];
  const [ours, theirs] = [last, body].map((part) =>
    part?.querySelector(".day-head th:nth-child(2)")?.textContent.trim(),
  );
  if (!theirs || ours !== theirs) {
    table.append(body);
    return;
  }
  body.querySelector(".day-head").remove();
  last.append(...body.rows);
}
