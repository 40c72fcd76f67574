import { bandText } from "../lib/amounts.js";
import { money, price } from "../lib/format.js";

const MOST_ROWS = 200;
const PAUSE_MS = 1_000;

/** What a chart shows as a table, newest first: written when it is opened, then at most once a second. */
export class ChartTable {
  #root;
  #tell = () => [];
  #timer;
  #written = 0;

  constructor(root) {
    this.#root = root;
    root.addEventListener("toggle", () => this.#write());
  }

  /** `tell` answers with rows of texts, oldest first, as soon as somebody looks; each band of `more` is a further column. */
  draw(tell, more = []) {
    this.#tell = tell;
    this.#title(more);
    if (!this.#root.open) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#write(),
      Math.max(0, this.#written + PAUSE_MS - Date.now()),
    );
  }

  #title(more) {
    const head = this.#root.querySelector("thead tr");
    const titles = more.map(bandText);
    if (
      titles.join() ===
      [...head.querySelectorAll(".more")].map(({ textContent }) => textContent).join()
    )
      return;
    for (const cell of head.querySelectorAll(".more")) cell.remove();
    head.append(...titles.map((title) => cell("th", title, "number more")));
  }

  #write() {
    if (!this.#root.open) return;
    this.#written = Date.now();
    const rows = this.#tell().slice(-MOST_ROWS).reverse();
    const body = this.#root.querySelector("tbody");
    while (body.rows.length > rows.length) body.deleteRow(-1);
    // rows stay where they are, so that whoever reads them keeps the place
    rows.forEach((texts, at) => fill(body.rows[at] ?? body.insertRow(), texts));
  }
}

/** Rows of bars: time (UTC), prices, delta, CVD, and the CVD of each band. */
export function barRows(lines) {
  return lines.map(({ time, open, high, low, close, delta, cvd, bandCvd }) => [
    new Date(time * 1_000).toISOString().slice(0, 19).replace("T", " "),
    ...[open, high, low, close].map(price),
    ...[delta, cvd, ...Object.values(bandCvd ?? {})].map((value) => money(value)),
  ]);
}

function fill(row, texts) {
  while (row.cells.length > texts.length) row.deleteCell(-1);
  texts.forEach((text, at) => {
    if (!row.cells[at]) row.append(at ? cell("td", text, "number") : cell("th", text));
    else if (row.cells[at].textContent !== text) row.cells[at].textContent = text;
  });
}

function cell(kind, textContent, className = "") {
  return Object.assign(document.createElement(kind), { textContent, className });
}
