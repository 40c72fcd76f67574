import { ask, rounded } from "../lib/orders.js";

/** A template of a bracket put into the ticket, and the ticket kept as one. */
export class Brackets {
  #form;
  #ticket;
  #rows;

  constructor(form, ticket) {
    [this.#form, this.#ticket] = [form, ticket];
    this.#rows = JSON.parse(form.querySelector("#bracket-rows").textContent);
    this.#list();
    form.elements.bracket.addEventListener("change", (event) => {
      event.stopPropagation();
      this.#take(this.#rows.find(({ name }) => name === event.target.value));
    });
    form.querySelector("[data-keep-bracket]").addEventListener("click", () => this.#keep());
  }

  #take(row) {
    if (!row) return;
    const { side, price } = this.#ticket.body();
    const entry = Number(price ?? this.#form.dataset.entry);
    const sign = side === "BUY" ? -1 : 1;
    if (row.stop_percent && entry) {
      const stop = entry * (1 + (sign * Number(row.stop_percent)) / 100);
      this.#ticket.set("stop", rounded(stop, this.#form.dataset.tick));
    }
    const [by, size] = Object.entries(row.risk ?? {})[0] ?? [];
    if (by) {
      this.#ticket.set("by", by);
      this.#ticket.set("size", size);
    }
    this.#ticket.set("targets", (row.targets ?? []).map((times) => `${times}R`).join(" "));
    this.#form.dispatchEvent(new Event("input"));
  }

  async #keep() {
    const { elements, dataset } = this.#form;
    const name = elements.bracket_name.value.trim();
    if (!name) return elements.bracket_name.focus();
    const { price, risk } = this.#ticket.body();
    const entry = Number(price ?? dataset.entry);
    const distance = Math.abs(entry - Number(risk?.stop));
    const row = { name, targets: multiples(elements.targets.value, entry, risk?.stop) };
    if (entry && distance) row.stop_percent = ((distance / entry) * 100).toFixed(4);
    const by = elements.by.value;
    if (by !== "quantity" && elements.size.value) row.risk = { [by]: elements.size.value };
    const rows = [...this.#rows.filter((known) => known.name !== name), row];
    const { status, body } = await ask("PUT", "/api/brackets", { brackets: rows });
    this.#form.querySelector("[data-said]").textContent =
      status === 200 ? `✓ ${name}` : (body.detail ?? `HTTP ${status}`);
    if (status !== 200) return;
    this.#rows = body.brackets;
    this.#list(name);
  }

  #list(chosen = "") {
    const names = ["", ...this.#rows.map(({ name }) => name)];
    const options = names.map((name) => new Option(name, name, false, name === chosen));
    this.#form.elements.bracket.replaceChildren(...options);
  }
}

/** Targets as multiples of the risk, however they were typed. */
function multiples(text, entry, stop) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  return words
    .map((word) => {
      const times = /^([\d.]+)r$/i.exec(word)?.[1];
      if (times) return times;
      return ((Number(word) - entry) / (entry - Number(stop))).toFixed(2);
    })
    .filter((times) => Number(times) > 0);
}
