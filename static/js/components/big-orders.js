import { money } from "../lib/format.js";

const SHOWN = 25;

/** The newest big taker orders, newest first; each is itself by time, side and value, so it shows once. */
export class BigOrders {
  #body;
  #words;
  #orders = new Map();
  #minimum = 0;

  constructor(body, words) {
    this.#body = body;
    this.#words = words;
  }

  set minimum(value) {
    this.#minimum = value;
    this.draw();
  }

  take(orders) {
    for (const order of orders) this.#orders.set(`${order.t}${order.side}${order.value}`, order);
    const newest = [...this.#orders].sort(([, a], [, b]) => b.t - a.t).slice(0, 500);
    this.#orders = new Map(newest);
  }

  draw() {
    const shown = [...this.#orders.values()]
      .filter(({ value }) => Number(value) >= this.#minimum)
      .slice(0, SHOWN);
    this.#body.replaceChildren(...shown.map((order) => this.#row(order)));
    if (!shown.length) this.#body.insertRow().insertCell().append(this.#words.waiting);
  }

  #row({ t, side, value, price }) {
    const row = document.createElement("tr");
    const isBuy = side === "BUY";
    const time = new Date(t).toLocaleTimeString("en-GB", { timeZone: "UTC" });
    const words = [
      time,
      `${isBuy ? "▲" : "▼"} ${isBuy ? this.#words.buy : this.#words.sell}`,
      money(value),
      price === null ? "–" : money(price, 2),
    ];
    words.forEach((text, column) =>
      Object.assign(row.insertCell(), {
        textContent: text,
        className: column > 1 ? "number" : column === 1 ? (isBuy ? "up" : "down") : "",
      }),
    );
    if (Number(value) >= 1_000_000) row.className = "is-huge";
    return row;
  }
}
