import { send } from "../lib/api.js";

const TYPING_MS = 700;

/** What is written on a trade, beside the list: every field is kept as soon as it is left. */
export class TradeSheet {
  #sheet;
  #row;
  #timer;
  #onSaved;

  constructor(sheet, onSaved) {
    this.#sheet = sheet;
    this.#onSaved = onSaved;
    sheet.addEventListener(
      "click",
      ({ target }) => target.closest("[data-sheet-close]") && this.close(),
    );
    sheet.addEventListener("change", ({ target }) => this.#keep(target));
    sheet.addEventListener("input", ({ target }) => {
      if (!target.matches("textarea")) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#keep(target), TYPING_MS);
    });
    sheet.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener(
      "keydown",
      ({ key }) => key === "Escape" && !sheet.hidden && this.close(),
    );
  }

  async open(row) {
    const answer = await fetch(`/trades/${row.dataset.tradeRow}/sheet/`);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.#row?.removeAttribute("aria-selected");
    this.#row = row;
    row.setAttribute("aria-selected", "true");
    this.#sheet.replaceChildren(...page.body.childNodes);
    this.#sheet.hidden = false;
  }

  get isOpen() {
    return !this.#sheet.hidden;
  }

  close() {
    this.#sheet.hidden = true;
    this.#row?.removeAttribute("aria-selected");
    this.#row = undefined;
  }

  async #keep(field) {
    clearTimeout(this.#timer);
    const form = field.form;
    if (!field.name || !form?.matches("[data-sheet-form]")) return;
    const said = form.querySelector("[data-said]");
    try {
      await send("PATCH", `/api/trades/${form.dataset.trade}`, { [field.name]: wishOf(field) });
      said.textContent = form.dataset.saved;
      field.removeAttribute("aria-invalid");
      this.#onSaved(this.#row);
    } catch (error) {
      said.textContent = error.message;
      field.setAttribute("aria-invalid", "true");
    }
  }
}

function wishOf({ name, type, checked, value }) {
  if (type === "checkbox") return checked;
  if (name !== "tags" && name !== "mistakes") return value;
  const words = value.split(",").map((word) => word.trim());
  return words.filter(Boolean);
}
