/** Reads the waiting page's moving part again every second and a half; counts announced pauses down; goes home when it is over. */
const PAUSE_MS = 1_500;

const part = document.querySelector("[data-first-run]");
let markup = "";

async function read() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", { headers: { "X-Part": "refresh" } });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const text = await answer.text();
    const page = new DOMParser().parseFromString(text, "text/html");
    if (answer.redirected || page.querySelector("[data-over]")) {
      location.replace("/");
      return;
    }
    // what has not changed stays, so that whoever reads keeps the place
    if (text !== markup) part.replaceChildren(...page.body.childNodes);
    markup = text;
    part.classList.remove("is-stale");
  } catch {
    part.classList.add("is-stale");
  }
}

/** "wait 34 s" goes on counting between two answers. */
function countDown() {
  for (const note of part.querySelectorAll("[data-run-note]")) {
    note.textContent = note.textContent.replace(/\d+(?=\s*(s\b|초))/, (seconds) =>
      Math.max(0, Number(seconds) - 1),
    );
  }
}

setInterval(countDown, 1_000);
setInterval(read, PAUSE_MS);
document.addEventListener("visibilitychange", read);
