/**
 * Parts of a page that the server renders again as soon as something of one's own has happened: a fill,
 * an order, a balance. All parts of one page come from one answer, so that they never contradict one
 * another. What is being typed or held stays as it is.
 */
// a trade is computed within moments of its fill; the later looks are for slow minutes
const LOOKS_MS = [400, 1_500, 4_000, 10_000];
const AT_LEAST_MS = 60_000;

export class LiveParts {
  #timers = [];
  #onDrawn;
  #isReading = false;

  constructor(onDrawn = () => {}) {
    this.#onDrawn = onDrawn;
    setInterval(() => this.read(), AT_LEAST_MS);
  }

  /** Something has happened: look soon, and again until it must have been computed. */
  stir() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = LOOKS_MS.map((pause) => setTimeout(() => this.read(), pause));
  }

  async read() {
    if (document.hidden || this.#isReading) return;
    this.#isReading = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": "live" } });
      if (answer.ok && !answer.redirected) this.#draw(await answer.text());
    } catch {
      // the state of the socket says that nothing comes; what stands was right
    } finally {
      this.#isReading = false;
    }
  }

  #draw(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const part of document.querySelectorAll("[data-part-name]")) {
      const next = page.querySelector(`[data-part-name="${CSS.escape(part.dataset.partName)}"]`);
      if (!next || next.innerHTML === part.dataset.markup || isInUse(part)) continue;
      part.dataset.markup = next.innerHTML;
      part.replaceChildren(...document.importNode(next, true).childNodes);
    }
    this.#onDrawn();
  }
}

function isInUse(part) {
  return (
    part.contains(document.activeElement) &&
    document.activeElement.matches("input, textarea, select, button")
  );
}
