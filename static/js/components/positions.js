import { hidesAmounts, signed, toneOf } from "../lib/format.js";

const digits = (price) => (price >= 1000 ? 2 : price >= 1 ? 4 : 8);

/** The table of open positions: prices and results change, rows come and go with a reload. */
export class Positions {
  #table;
  #rows = new Map();
  #isHidden = hidesAmounts();

  constructor(table) {
    this.#table = table;
    for (const row of table.querySelectorAll("[data-position]"))
      this.#rows.set(row.dataset.position, row);
  }

  draw({ positions }) {
    this.#drawSum(positions);
    for (const position of positions) {
      const row = this.#rows.get(
        [position.account, position.market, position.symbol, position.position_side].join(":"),
      );
      if (!row) continue;
      if (position.price !== null)
        row.querySelector("[data-price]").textContent = Number(position.price).toLocaleString(
          "en",
          { minimumFractionDigits: 2, maximumFractionDigits: digits(Number(position.price)) },
        );
      row.classList.toggle("is-stale", position.stale);
      if (position.unrealized_money === null || this.#isHidden) continue;
      this.#drawMoney(row.querySelector("[data-unrealized]"), Number(position.unrealized_money));
    }
  }

  #drawSum(positions) {
    const sum = document.querySelector("[data-open-result]");
    const known = positions
      .map(({ unrealized_money: result }) => result)
      .filter((result) => result !== null);
    if (sum && known.length && !this.#isHidden)
      this.#drawMoney(
        sum,
        known.reduce((total, result) => total + Number(result), 0),
      );
  }

  #drawMoney(cell, value) {
    const shown = signed(value, 2);
    const text = shown.replace(/^[+−]?/, (sign) => sign + this.#table.dataset.currency);
    cell.replaceChildren(
      Object.assign(document.createElement("span"), {
        className: `amount ${toneOf(shown)}`,
        textContent: text,
      }),
    );
  }

  async read() {
    const answer = await fetch("/api/positions");
    if (answer.ok) this.draw(await answer.json());
  }
}
