/** A day opens beside the month; its address is the page's, so that reload and share show it too. */
const panel = document.querySelector("[data-day-panel]");

async function open(link) {
  const answer = await fetch(link.dataset.panel, { headers: { "X-Part": "day" } });
  if (!answer.ok) return location.assign(link.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  panel.replaceChildren(...page.body.childNodes);
  panel.hidden = false;
  mark(link.dataset.day);
  return remember(link.dataset.day);
}

function mark(day) {
  for (const link of document.querySelectorAll("[data-day]")) {
    if (link.dataset.day === day) link.setAttribute("aria-current", "date");
    else link.removeAttribute("aria-current");
  }
}

function remember(day) {
  const address = new URL(location.href);
  if (day) address.searchParams.set("day", day);
  else address.searchParams.delete("day");
  history.replaceState(null, "", address);
}

function close() {
  panel.hidden = true;
  mark("");
  remember("");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-day]");
  if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    open(link);
  }
  if (event.target.closest("[data-day-close]")) close();
});
document.addEventListener("keydown", ({ key }) => key === "Escape" && !panel.hidden && close());

const opened = document.querySelector(`a[data-day="${CSS.escape(panel.dataset.opened)}"]`);
if (opened) open(opened);
