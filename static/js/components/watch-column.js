import { read } from "../lib/api.js";
import { drawRows } from "./watch-rows.js";

const EVERY_MS = 5_000;
const CHOICE = "tapelog.watchlist";

/** The chosen watch-list beside the chart, read again every few seconds while the page is seen. */
export class WatchColumn {
  #root;
  #lists;
  #current;
  #timer;

  constructor(root, current) {
    this.#root = root;
    this.#current = current;
    this.#lists = root.querySelector("[data-lists]");
    this.#lists.addEventListener("change", () => {
      localStorage.setItem(CHOICE, this.#lists.value);
      this.#read();
    });
    document.addEventListener("visibilitychange", () => document.hidden || this.#read());
    this.#begin();
  }

  async #begin() {
    try {
      const { rows } = await read("/api/watchlists", {});
      const choices = [...rows.map(({ id, name }) => [id, name]), ["", this.#root.dataset.all]];
      this.#lists.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
      const known = localStorage.getItem(CHOICE);
      this.#lists.value = choices.some(([value]) => String(value) === known)
        ? known
        : String(choices[0][0]);
      await this.#read();
    } catch {
      setTimeout(() => this.#begin(), EVERY_MS);
    }
  }

  async #read() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    try {
      const { rows } = await read(
        this.#lists.value ? `/api/watchlists/${this.#lists.value}` : "/api/markets",
        {},
      );
      drawRows(
        this.#root.querySelector("[data-rows]"),
        rows,
        this.#current,
        this.#root.dataset.empty,
      );
      this.#root.classList.remove("is-stale");
    } catch {
      this.#root.classList.add("is-stale");
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), EVERY_MS);
  }
}
