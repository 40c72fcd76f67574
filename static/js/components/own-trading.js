import { read } from "../lib/api.js";
import { hidesAmounts, money, price, signed, toneOf } from "../lib/format.js";

const FILLS = 200;

/** What the trader holds and did here: the open position in a strip that moves with the topic `pnl`, its entry and the own fills in the chart. */
export class OwnTrading {
  #strip;
  #chart;
  #levels;
  #market;
  #symbol;
  #timer;
  #isHidden = hidesAmounts();
  #entry;

  constructor(strip, chart, levels, { kind, symbol }) {
    [this.#strip, this.#chart, this.#levels] = [strip, chart, levels];
    [this.#market, this.#symbol] = [kind, symbol];
  }

  /** Positions and fills anew; many reasons within a second are one. */
  readSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), 500);
  }

  /** Positions as `/api/positions` and the topic `pnl` tell them. */
  take({ positions }) {
    const here = positions.filter(
      ({ market, symbol, quantity }) =>
        market === this.#market && symbol === this.#symbol && Number(quantity) !== 0,
    );
    const found = here.length > 1 ? together(here) : here[0];
    this.#strip.hidden = !found;
    const entry = found?.average_price ?? undefined;
    if (entry !== this.#entry)
      this.#levels.set("entry", {
        price: entry === undefined ? undefined : Number(entry),
        title: this.#strip.dataset.entry,
      });
    this.#entry = entry;
    if (found) this.#draw(found);
  }

  async #read() {
    try {
      const query = { symbol: this.#symbol, market: this.#market, limit: FILLS };
      const [positions, fills] = await Promise.all([
        read("/api/positions", {}),
        read("/api/fills", query),
      ]);
      this.#chart.fills = fills.rows.map(({ time, side, quantity }) => ({
        time: time / 1_000,
        side,
        quantity,
      }));
      this.take(positions);
    } catch {
      /* the next fill or reconnection asks again */
    }
  }

  #draw({ quantity, average_price: entry, unrealized_money: result, trade, stale, count }) {
    const isLong = Number(quantity) > 0;
    const cell = (name) => this.#strip.querySelector(`[data-own-${name}]`);
    this.#strip.classList.toggle("is-stale", stale);
    const side = isLong ? this.#strip.dataset.long : this.#strip.dataset.short;
    cell("side").textContent = count ? `${count}×` : side;
    cell("side").className = count ? "" : isLong ? "up" : "down";
    cell("size").textContent = count
      ? "–"
      : this.#isHidden
        ? "•••"
        : money(Math.abs(Number(quantity)), Math.min(8, (quantity.split(".")[1] ?? "").length));
    cell("entry").textContent = entry === null ? "–" : price(entry);
    const shown = result === null ? "–" : signed(result, 2);
    cell("result").textContent = result !== null && this.#isHidden ? "•••" : shown;
    cell("result").className = toneOf(shown);
    cell("link").hidden = trade === null;
    if (trade !== null) cell("link").href = `/trades/${trade}/`;
  }
}

/** Several positions of one market (both sides of a hedge, two accounts): their number and the sum of their results. */
function together(positions) {
  const known = positions
    .map(({ unrealized_money: result }) => result)
    .filter((result) => result !== null);
  return {
    count: positions.length,
    quantity: "0",
    average_price: null,
    trade: null,
    unrealized_money: known.length ? known.reduce((sum, result) => sum + Number(result), 0) : null,
    stale: positions.some(({ stale }) => stale),
  };
}
