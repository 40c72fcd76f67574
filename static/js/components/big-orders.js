import { compact } from "../lib/amounts.js";
import { clockText } from "../lib/clock.js";
import { money, places } from "../lib/format.js";

const SHOWN = 40;
const KEPT = 500;
const WINDOW_MS = 15 * 60_000;
const EDGES = [100, 1_000, 10_000, 100_000, 1_000_000];

/** The newest big taker orders, newest first, and what they bought and sold in 15 minutes; each is itself by time, side and value, so it shows once. */
export class BigOrders {
  #body;
  #words;
  #orders = new Map();
  #minimum = 0;
  #isKnown = false;
  #sum;

  /** `sum` is where the last 15 minutes are told. */
  constructor(body, words, sum) {
    [this.#body, this.#words, this.#sum] = [body, words, sum];
  }

  set minimum(value) {
    this.#minimum = value;
    this.draw();
  }

  take(orders) {
    this.#isKnown = true;
    for (const order of orders) this.#orders.set(`${order.t}${order.side}${order.value}`, order);
    const newest = [...this.#orders].sort(([, a], [, b]) => b.t - a.t).slice(0, KEPT);
    this.#orders = new Map(newest);
  }

  draw() {
    if (!this.#isKnown) return;
    const big = [...this.#orders.values()].filter(({ value }) => Number(value) >= this.#minimum);
    const digits = Math.max(
      0,
      ...big.slice(0, SHOWN).map(({ price }) => (price === null ? 0 : places(price))),
    );
    this.#body.replaceChildren(...big.slice(0, SHOWN).map((order) => this.#row(order, digits)));
    if (!big.length)
      Object.assign(this.#body.insertRow().insertCell(), {
        textContent: this.#words.waiting,
        colSpan: 4,
        className: "hint",
      });
    this.#drawSum(big);
  }

  #row({ t, side, value, price }, digits) {
    const row = document.createElement("tr");
    const isBuy = side === "BUY";
    const texts = [
      clockText(t / 1_000, true),
      `${isBuy ? "▲" : "▼"} ${isBuy ? this.#words.buy : this.#words.sell}`,
      money(value),
      price === null ? "–" : money(price, digits),
    ];
    texts.forEach((text, column) =>
      Object.assign(row.insertCell(), {
        textContent: text,
        className: column > 1 ? "number" : column === 1 ? (isBuy ? "up" : "down") : "",
      }),
    );
    row.className = `edge band-${EDGES.filter((edge) => Number(value) >= edge).length}`;
    if (Number(value) >= 1_000_000) row.classList.add("is-huge");
    return row;
  }

  /** Only as far back as the list reaches. */
  #drawSum(big) {
    if (!this.#sum) return;
    const since = Date.now() - WINDOW_MS;
    const sums = { BUY: 0, SELL: 0 };
    for (const { t, side, value } of big) if (t >= since) sums[side] += Number(value);
    const total = sums.BUY + sums.SELL;
    this.#sum.hidden = !total;
    this.#sum.style.setProperty("--bids", `${total ? (sums.BUY / total) * 100 : 50}%`);
    const texts = {
      bought: compact(sums.BUY, { isSigned: false }),
      sold: compact(sums.SELL, { isSigned: false }),
      net: compact(sums.BUY - sums.SELL),
    };
    for (const [name, text] of Object.entries(texts))
      this.#sum.querySelector(`[data-${name}]`).textContent = text;
  }
}
