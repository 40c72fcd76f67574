import { hidesAmounts, signed, toneOf } from "../lib/format.js";

const digits = (price) => (price >= 1000 ? 2 : price >= 1 ? 4 : 8);

/** Open positions wherever a page shows them: prices and results change in place. */
export class Positions {
  #root;
  #rows = new Map();
  #isHidden = hidesAmounts();

  constructor(root) {
    this.#root = root;
    for (const row of root.querySelectorAll("[data-position]"))
      this.#rows.set(row.dataset.position, row);
  }

  /** False where other positions are open than those that the page shows: then it must be rendered again. */
  draw({ positions }) {
    if (!this.#root.querySelector("[data-positions]")) return true;
    const names = new Set(positions.map(nameOf));
    const isSame =
      names.size === this.#rows.size && [...names].every((name) => this.#rows.has(name));
    if (!isSame) return false;
    this.#drawSum(positions);
    for (const position of positions) this.#drawRow(this.#rows.get(nameOf(position)), position);
    return true;
  }

  #drawRow(row, { price, stale, unrealized_money: result, value_money: value }) {
    if (price !== null)
      row.querySelector("[data-price]").textContent = Number(price).toLocaleString("en", {
        minimumFractionDigits: 2,
        maximumFractionDigits: digits(Number(price)),
      });
    row.classList.toggle("is-stale", stale);
    if (this.#isHidden) return;
    if (result !== null) this.#drawMoney(row.querySelector("[data-unrealized]"), Number(result));
    const worth = row.querySelector("[data-value]");
    if (worth && value !== null)
      worth.textContent = this.#withCurrency(signed(Math.abs(value), 2).replace("+", ""));
  }

  /** Of the rows that are shown, so that the sum never tells of others. */
  #drawSum(positions) {
    const known = positions
      .map(({ unrealized_money: result }) => result)
      .filter((result) => result !== null);
    if (!known.length || this.#isHidden) return;
    const sum = known.reduce((total, result) => total + Number(result), 0);
    for (const place of this.#root.querySelectorAll("[data-open-result]"))
      this.#drawMoney(place, sum);
  }

  #drawMoney(cell, value) {
    const shown = signed(value, 2);
    cell.replaceChildren(
      Object.assign(document.createElement("span"), {
        className: `amount ${toneOf(shown)}`,
        textContent: this.#withCurrency(shown),
      }),
    );
  }

  #withCurrency(shown) {
    return shown.replace(
      /^[+−]?/,
      (sign) => sign + (this.#root.querySelector("[data-positions]")?.dataset.currency ?? ""),
    );
  }

  async read() {
    const answer = await fetch("/api/positions");
    if (answer.ok) this.draw(await answer.json());
  }
}

function nameOf({ account, market, symbol, position_side: side }) {
  return [account, market, symbol, side].join(":");
}
