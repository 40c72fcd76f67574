import { hidesAmounts, price, signed, toneOf } from "../lib/format.js";
import { Live } from "../lib/live.js";

/** An open trade moves: its result and the newest price in the head, its bars in the chart. */
export class OpenResult {
  #trade;
  #view;
  #live;
  #topic;

  constructor(trade, view, { symbol, market }) {
    [this.#trade, this.#view] = [Number(trade), view];
    this.#topic = `flow:${market}:${symbol}`;
    this.listen();
  }

  /** Again when the interval has changed: seconds only where seconds are drawn. */
  listen() {
    this.#live?.close();
    const grain = this.#view.grain ?? "1m";
    this.#live = new Live({
      topics: ["pnl", `${this.#topic}:${grain}`],
      onState: () => {},
      onMessage: ({ topic, data, resync }) => {
        if (resync) this.#view.refresh();
        else if (topic === "pnl") this.#tell(data.positions);
        else this.#view.take(data, grain);
      },
    });
  }

  #tell(positions) {
    const own = positions.find(({ trade }) => trade === this.#trade);
    const result = document.querySelector("[data-open-result]");
    if (!own || !result) return;
    if (own.price !== null)
      document.querySelector("[data-open-price]").textContent = price(own.price);
    if (own.unrealized_money === null) return;
    const shown = signed(own.unrealized_money, 2);
    result.textContent = hidesAmounts()
      ? "•••"
      : shown.replace(/^[+−]?/, (sign) => sign + result.dataset.currency);
    result.className = toneOf(shown);
    result.classList.toggle("is-stale", own.stale);
  }
}
