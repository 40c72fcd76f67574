import { priceText } from "../lib/amounts.js";
import { send } from "../lib/api.js";

const FIELDS = { stop: "planned_stop", target: "planned_target" };
const COLOURS = { entry: "--accent", initial: "--muted", stop: "--down", target: "--up" };

/** Entry, stop and target of a trade in its chart; the last two are set by a press, moved by dragging, and kept in the journal. */
export class TradeLevels {
  #root;
  #chart;
  #levels;
  #aimed;
  #before;

  constructor(root, chart, levels) {
    [this.#root, this.#chart, this.#levels] = [root, chart, levels];
    for (const button of root.querySelectorAll("[data-level]")) {
      button.addEventListener("click", () => this.#aim(button.dataset.level));
    }
    chart.element.addEventListener("click", (event) => this.#place(event));
    root.querySelector("[data-undo]").addEventListener("click", () => this.#undo());
  }

  draw() {
    const { entry, initial, stop, target } = this.#root.dataset;
    this.#set("entry", entry, false);
    this.#set("initial", initial && initial !== stop ? initial : "", false);
    this.#set("stop", stop, true);
    this.#set("target", target, true);
  }

  /** A level was dragged. */
  moved(name, price) {
    if (FIELDS[name]) this.#save(name, this.#text(price));
  }

  #set(name, text, isMovable) {
    this.#levels.set(name, {
      price: text ? Number(text) : undefined,
      title: this.#root.dataset[`${name}Label`],
      colour: COLOURS[name],
      isMovable,
    });
  }

  #text(price) {
    return priceText(price, this.#chart.digits).replaceAll(",", "");
  }

  #aim(name) {
    this.#aimed = this.#aimed === name ? undefined : name;
    for (const button of this.#root.querySelectorAll("[data-level]")) {
      button.setAttribute("aria-pressed", button.dataset.level === this.#aimed);
    }
    this.#chart.element.classList.toggle("is-aiming", this.#aimed !== undefined);
    this.#say(this.#aimed ? this.#root.dataset.aim : "");
  }

  #place(event) {
    if (!this.#aimed) return;
    const y = event.clientY - this.#chart.element.getBoundingClientRect().top;
    const price = this.#chart.price.coordinateToPrice(y);
    if (!price || price <= 0 || y > this.#chart.library.panes()[0].getHeight()) return;
    const name = this.#aimed;
    this.#aim(name);
    this.#save(name, this.#text(price));
  }

  /** Kept at once; what was there before comes back by Undo, or where the server refuses. */
  async #save(name, text, isUndo = false) {
    const before = this.#root.dataset[name];
    this.#show(name, text);
    try {
      const answer = await send("PATCH", `/api/trades/${this.#root.dataset.id}`, {
        [FIELDS[name]]: text || null,
      });
      this.#root.dataset.initial = answer.initial_stop ?? "";
      this.draw();
      this.#showR(answer.r);
      this.#before = isUndo ? undefined : { name, text: before };
      this.#say(this.#root.dataset.saved, !isUndo);
    } catch (error) {
      this.#show(name, before);
      this.#say(error.message);
    }
  }

  #undo() {
    if (this.#before) this.#save(this.#before.name, this.#before.text, true);
  }

  #show(name, text) {
    this.#root.dataset[name] = text;
    this.#set(name, text, true);
    const field = document.querySelector(`[name=${FIELDS[name]}]`);
    if (field) field.value = text;
  }

  #showR(r) {
    const shown = document.querySelector("[data-r]");
    if (!shown || r === null || r === undefined) return;
    const value = Number(r);
    shown.textContent = `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}R`;
  }

  #say(text, hasUndo = false) {
    const says = this.#root.querySelector("[data-level-says]");
    says.hidden = !text;
    says.querySelector("[data-said]").textContent = text;
    says.querySelector("[data-undo]").hidden = !hasUndo;
  }
}
