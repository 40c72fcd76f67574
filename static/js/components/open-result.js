import { price, toneOf } from "../lib/format.js";
import { Live } from "../lib/live.js";
import { isHidden, resultText } from "../lib/result-unit.js";

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
    if (own.trade_unrealized_money === null) return;
    for (const place of [result, document.querySelector("[data-open-r]")]) {
      if (!place || isHidden(place.dataset)) continue;
      const shown = resultText(own.trade_unrealized_money, place.dataset);
      if (shown === null) continue;
      place.textContent = shown;
      place.classList.remove("up", "down");
      if (toneOf(shown)) place.classList.add(toneOf(shown));
      place.classList.toggle("is-stale", own.stale);
    }
  }
}
