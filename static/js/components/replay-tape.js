import { bandText, compact, toneOfValue } from "../lib/amounts.js";
import { clockText } from "../lib/clock.js";
import { newestDelta } from "../lib/flow-lines.js";
import { money } from "../lib/format.js";

const SHOWN = 24;
const SMALLEST = 2; // bands below are too many to be read

/** The tape beside a replay: what large orders did in each bar up to now, and all takers in the last minute, or in the bar where that is longer. */
export class ReplayTape {
  #root;
  #words;

  constructor(root, words) {
    [this.#root, this.#words] = [root, words];
  }

  set isShown(isShown) {
    if (this.#root) this.#root.hidden = !isShown;
  }

  draw(lines, names, interval) {
    if (!this.#root || !lines.length) return;
    const body = this.#root.querySelector("[data-tape-rows]");
    const rows = lines
      .slice(-600)
      .reverse()
      .flatMap((line) => sumsOf(line, names))
      .slice(0, SHOWN);
    body.replaceChildren(...rows.map((row) => this.#row(row)));
    this.#root.querySelector("[data-tape-none]").hidden = rows.length > 0;
    const { span, delta } = newestDelta(lines, interval);
    const newest = this.#root.querySelector("[data-tape-newest]");
    newest.textContent = `${span} Δ ${compact(delta)}`;
    newest.className = toneOfValue(delta);
  }

  #row({ time, isBuy, value, price, band, name }) {
    const row = document.createElement("tr");
    row.className = `edge band-${band}`;
    row.title = bandText(name);
    const texts = [clockText(time, true), isBuy ? "▲" : "▼", money(value), money(price, 2)];
    texts.forEach((text, column) =>
      Object.assign(row.insertCell(), {
        textContent: text,
        className: column > 1 ? "number" : column === 1 ? (isBuy ? "up" : "down") : "",
      }),
    );
    return row;
  }
}

/** What each of the larger bands bought and sold in one bar, largest first. */
function sumsOf({ time, close, bands }, names) {
  return names
    .flatMap((name, band) =>
      ["buy", "sell"].map((side) => ({
        time,
        isBuy: side === "buy",
        value: bands?.[name]?.[side] ?? 0,
        price: close,
        band,
        name,
      })),
    )
    .filter(({ band, value }) => band >= SMALLEST && value > 0)
    .reverse();
}
