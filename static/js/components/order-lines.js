import { ask, newKey, rounded, wordOf } from "../lib/orders.js";

const COLOURS = { price: "--accent", stop: "--down", target: "--up", order: "--warn" };

/** What the ticket and the open orders are worth on the chart: lines that can be dragged. The ticket's
 * own take a new price at once; an order's moves after one confirmation. The chart is another module:
 * it hears `tapelog:lines`, and says `tapelog:dropped`. */
export class OrderLines {
  #form;
  #ticket;
  #open;
  #moved;

  constructor(form, ticket, open) {
    [this.#form, this.#ticket, this.#open] = [form, ticket, open];
    form.addEventListener("input", () => this.draw());
    document.addEventListener("tapelog:dropped", ({ detail }) => this.#dropped(detail));
    this.#moved = form.querySelector("[data-moved]");
  }

  draw() {
    // where both stand at one price, as just after placing, the order's alone is drawn and dragged
    const resting = this.#resting();
    const taken = new Set(resting.map(({ price }) => price));
    const lines = [...resting, ...this.#wanted().filter(({ price }) => !taken.has(price))];
    document.dispatchEvent(new CustomEvent("tapelog:lines", { detail: lines }));
  }

  /** Entry, stop and targets as they are typed. */
  #wanted() {
    const { price, risk, targets = [] } = this.#ticket.body();
    const lines = [
      ["price", price],
      ["stop", risk?.stop],
      ...targets.map((target, number) => [`target${number}`, target]),
    ];
    return lines
      .filter(([, value]) => Number(value) > 0)
      .map(([name, value]) => ({
        name: `ticket:${name}`,
        price: Number(value),
        title: this.#form.dataset[name.replace(/\d+$/, "")] ?? "",
        colour: COLOURS[name.replace(/\d+$/, "")],
        isMovable: true,
      }));
  }

  /** Of orders placed here; of one with a trigger the trigger. */
  #resting() {
    return this.#open.own.map((row) => {
      const field = Number(row.order.price) ? "price" : "stop_price";
      return {
        name: `order:${row.id}:${field}`,
        price: Number(row.order[field]),
        title: `${wordOf(row.side, this.#form.dataset)} ${Number(row.order.quantity) || ""}`.trim(),
        colour: COLOURS.order,
        isMovable: true,
      };
    });
  }

  #dropped({ name, price }) {
    const [kind, id, field] = name.split(":");
    const text = rounded(price, this.#form.dataset.tick);
    if (kind === "order") this.#ask(id, field, text);
    else if (kind === "ticket") this.set(id, text);
  }

  /** A price from elsewhere, the book say. */
  set(name, text) {
    const number = /^target(\d+)$/.exec(name)?.[1];
    if (number === undefined) this.#ticket.set(name, text);
    else {
      const prices = this.#ticket.body().targets;
      prices[Number(number)] = text;
      this.#ticket.set("targets", prices.join(" "));
    }
    this.draw();
  }

  /** One confirmation: the line goes back where it was unless it is given. */
  #ask(id, field, text) {
    const { move, back } = this.#form.dataset;
    const yes = button(`${move} ${text}`);
    const no = button(back);
    const end = (words = "") => {
      this.#moved.replaceChildren(words);
      this.draw();
    };
    no.addEventListener("click", () => end());
    yes.addEventListener("click", async () => {
      yes.disabled = true;
      const change = { [field]: text };
      const { status, body } = await ask("PATCH", `/api/orders/${id}`, change, newKey());
      end(status < 300 ? "✓" : (body.detail ?? `HTTP ${status}`));
      this.#open.refresh(this.#ticket.account).then(() => this.draw());
    });
    this.#moved.replaceChildren(yes, no);
    yes.focus();
  }
}

function button(text) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "quiet", textContent: text });
  return made;
}
