import { read } from "../lib/api.js";
import { address, changeText, key, tone } from "./watch-rows.js";

const TYPING_MS = 200;
const MOST = 12;

/** The symbol's button opens a field: what is followed at first, what the exchange lists as one types. */
export class SymbolSwitcher {
  #menu;
  #field;
  #list;
  #current;
  #typing;

  constructor(menu, current) {
    [this.#menu, this.#current] = [menu, current];
    this.#field = menu.querySelector("input");
    this.#list = menu.querySelector("ul");
    menu.addEventListener("toggle", () => menu.open && this.#open());
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#search(), TYPING_MS);
    });
    menu.addEventListener("keydown", (event) => this.#key(event));
  }

  #open() {
    this.#field.value = "";
    this.#field.focus();
    this.#search();
  }

  async #search() {
    const word = this.#field.value.trim();
    try {
      const { rows } = word
        ? await read("/api/instruments", { search: word })
        : await read("/api/markets", {});
      if (word === this.#field.value.trim())
        this.#draw(rows.filter(({ status }) => status !== "DELISTED").slice(0, MOST));
    } catch {
      this.#draw([]);
    }
  }

  #draw(rows) {
    this.#list.replaceChildren(...rows.map((row) => this.#row(row)));
    if (!rows.length)
      this.#list.append(
        Object.assign(document.createElement("li"), {
          className: "hint",
          textContent: this.#menu.dataset.none,
        }),
      );
  }

  #row(row) {
    const link = Object.assign(document.createElement("a"), { href: address(row) });
    if (key(row) === this.#current) link.setAttribute("aria-current", "page");
    link.append(
      row.symbol,
      " ",
      Object.assign(document.createElement("span"), {
        className: "tag",
        textContent: row.market === "usdm" ? "USD-M" : "Spot",
      }),
    );
    if ("change_pct" in row)
      link.append(
        Object.assign(document.createElement("span"), {
          className: `number ${tone(row.change_pct)}`,
          textContent: changeText(row),
        }),
      );
    const item = document.createElement("li");
    item.append(link);
    return item;
  }

  #key(event) {
    const links = [...this.#list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (event.key === "Enter" && document.activeElement === this.#field) links[0]?.click();
    if (to === undefined) return;
    event.preventDefault();
    (links[to] ?? this.#field).focus();
  }
}
