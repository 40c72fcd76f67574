import { hidesAmounts, signed, toneOf } from "../lib/format.js";
import { isHidden, resultText } from "../lib/result-unit.js";

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
  draw({ positions: all }) {
    const table = this.#root.querySelector("[data-positions]");
    if (!table) return true;
    const { account } = table.dataset;
    const positions = account ? all.filter((position) => position.account === account) : all;
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
    const named = { ...this.#words, per: row.dataset.per };
    if (result !== null) this.#drawResult(row.querySelector("[data-unrealized]"), result, named);
    if (this.#isHidden) return;
    const worth = row.querySelector("[data-value]");
    if (worth && value !== null)
      worth.textContent = this.#withCurrency(signed(Math.abs(value), 2).replace("+", ""));
  }

  /** Of the rows that are shown, so that the sum never tells of others. */
  #drawSum(positions) {
    const known = positions
      .filter(({ unrealized_money: result }) => result !== null)
      .map((position) => [
        Number(position.unrealized_money),
        Number(this.#rows.get(nameOf(position)).dataset.per),
      ])
      .filter(([, per]) => per);
    if (!known.length) return;
    // R of each is of its own risk; money and what was put in add up
    const isR = this.#words.unit === "R";
    const sum = known.reduce((total, [result, per]) => total + (isR ? result / per : result), 0);
    for (const place of this.#root.querySelectorAll("[data-open-result]"))
      this.#drawResult(place, sum, { ...this.#words, per: isR ? 1 : place.dataset.per });
  }

  get #words() {
    const { unit, currency } = this.#root.querySelector("[data-positions]").dataset;
    return { unit, currency };
  }

  #drawResult(cell, value, named) {
    const shown = resultText(value, named);
    if (shown === null || isHidden(named)) return;
    cell.replaceChildren(
      Object.assign(document.createElement("span"), {
        className: `amount ${toneOf(shown)}`,
        textContent: shown,
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
