import { read } from "../lib/api.js";
import { onKey } from "../lib/keys.js";
import { address } from "./watch-rows.js";

const RECENT = "tapelog.recent";
const MOST_RECENT = 5;
const MOST_SHOWN = 12;
const MOST_LOCAL = 6;
const PAUSE_MS = 150;

/** One field for pages, markets, trades by number and actions: Ctrl K or `/` opens it, arrows choose, Enter does. */
export class Commands {
  #dialog;
  #input;
  #list;
  #found = [];
  #at = 0;
  #timer;
  #asked = 0;

  constructor(dialog) {
    this.#dialog = dialog;
    this.#input = dialog.querySelector("input");
    this.#list = dialog.querySelector("[role=listbox]");
    this.#input.addEventListener("input", () => {
      this.#at = 0;
      this.#look();
    });
    this.#input.addEventListener("keydown", (event) => this.#steer(event));
    this.#list.addEventListener("click", ({ target }) =>
      this.#choose(this.#found[[...this.#list.children].indexOf(target.closest("[role=option]"))]),
    );
    dialog.addEventListener("pointerdown", (event) => isOutside(dialog, event) && dialog.close());
    for (const button of document.querySelectorAll("[data-open-commands]"))
      button.addEventListener("click", () => this.open());
    onKey((event) => event.key === "/" && this.#openBy(event));
    document.addEventListener("keydown", (event) => {
      const isAsked = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
      if (isAsked && event.key?.toLowerCase() === "k") this.#openBy(event); // autofill sends no key
    });
  }

  open() {
    if (document.querySelector("dialog[open]")) return;
    this.#input.value = "";
    this.#at = 0;
    this.#dialog.showModal();
    this.#look();
  }

  #openBy(event) {
    event.preventDefault();
    this.open();
  }

  /** Those of this page at once, markets as soon as the server has told them. */
  #look() {
    const word = this.#input.value.trim().toLowerCase();
    const local = [...this.#trade(word), ...(word ? [] : recent()), ...this.#ofThisPage()];
    const matching = local.filter(
      ({ label, isFound }) => isFound || label.toLowerCase().includes(word),
    );
    const found = [...new Map(matching.map((item) => [item.label, item])).values()];
    this.#show(word ? found.slice(0, MOST_LOCAL) : found);
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    if (word) this.#timer = setTimeout(() => this.#lookForMarkets(word, asked), PAUSE_MS);
  }

  /** Those that fit best come first in the answer. */
  async #lookForMarkets(word, asked) {
    let rows = [];
    try {
      ({ rows } = await read("/api/instruments", { search: word }));
    } catch {
      /* pages and actions are found anyway */
    }
    if (asked !== this.#asked) return; // something else is looked for by now
    const listed = rows.filter(({ status }) => status !== "DELISTED");
    this.#show([
      ...this.#found,
      ...listed.map((row) => ({
        label: `${row.symbol} ${row.market === "usdm" ? "USD-M" : "Spot"}`,
        hint: this.#dialog.dataset.market,
        href: address(row),
      })),
    ]);
    this.#sayNothing(this.#found.length === 0);
  }

  /** `#12` or `12` is a trade's number. */
  #trade(word) {
    const number = /^#?(\d{1,12})$/.exec(word)?.[1];
    return number
      ? [
          {
            label: `${this.#dialog.dataset.trade} #${number}`,
            href: `/trades/${number}/`,
            isFound: true,
          },
        ]
      : [];
  }

  /** Links of the rail and its menu, and every control that says by `data-command` what it does. */
  #ofThisPage() {
    const pages = [...document.querySelectorAll(".rail a")].map((link) => ({
      label: link.textContent.trim(),
      hint: this.#dialog.dataset.page,
      href: link.getAttribute("href"),
    }));
    const actions = [...document.querySelectorAll("[data-command]")].map((control) => ({
      label: control.dataset.command,
      hint: this.#dialog.dataset.action,
      act: () => press(control),
    }));
    return [...pages, ...actions];
  }

  #show(found) {
    this.#found = found.slice(0, MOST_SHOWN);
    this.#at = Math.min(this.#at, Math.max(0, this.#found.length - 1));
    this.#list.replaceChildren(...this.#found.map(option));
    this.#sayNothing(false);
    this.#mark(this.#found.length ? this.#at : -1);
  }

  #sayNothing(isNothing) {
    const nothing = this.#dialog.querySelector("[data-nothing]");
    nothing.hidden = !isNothing;
    nothing.textContent = isNothing
      ? `${nothing.dataset.nothing} “${this.#input.value.trim()}”`
      : "";
  }

  #mark(at) {
    this.#at = Math.max(0, at);
    [...this.#list.children].forEach((line, index) =>
      line.setAttribute("aria-selected", index === at),
    );
    this.#list.children[at]?.scrollIntoView({ block: "nearest" });
    if (at >= 0) this.#input.setAttribute("aria-activedescendant", `command-${at}`);
    else this.#input.removeAttribute("aria-activedescendant");
  }

  #steer(event) {
    if (event.isComposing) return; // a Korean syllable is being finished
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const count = this.#found.length;
    if (by && count) this.#mark((this.#at + by + count) % count);
    if (event.key === "Enter") this.#choose(this.#found[this.#at]);
    if (event.key === "Escape") this.#dialog.close(); // not only the text in the field
    if (by || event.key === "Enter" || event.key === "Escape") event.preventDefault();
  }

  #choose(item) {
    if (!item) return;
    this.#dialog.close();
    if (item.act) {
      item.act();
      return;
    }
    const { label, hint, href } = item;
    localStorage.setItem(
      RECENT,
      JSON.stringify(
        [{ label, hint, href }, ...recent().filter((known) => known.href !== href)].slice(
          0,
          MOST_RECENT,
        ),
      ),
    );
    location.assign(href);
  }
}

function isOutside(element, { clientX: x, clientY: y }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}

/** What was gone to last, newest first; anything else in its place is nothing. */
function recent() {
  try {
    const known = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return known.filter(
      ({ label, href }) =>
        typeof label === "string" && href?.startsWith("/") && !href.startsWith("//"),
    );
  } catch {
    return [];
  }
}

/** A choice is chosen in its list, anything else is pressed. */
function press(control) {
  if (control.tagName !== "OPTION") return control.click();
  const choice = control.closest("select");
  choice.value = control.value;
  return choice.dispatchEvent(new Event("change", { bubbles: true }));
}

function option({ label, hint }, index) {
  const line = Object.assign(document.createElement("li"), { id: `command-${index}` });
  line.setAttribute("role", "option");
  line.append(label, Object.assign(document.createElement("small"), { textContent: hint ?? "" }));
  return line;
}
