import { money, places, signed, toneOf } from "../lib/format.js";

const SHOWN = 12;
const OLD_MS = 5_000;
const FIRST_MS = 8_000;

/** The top of the order book: prices with bars of their share of the deepest level shown, and what was bought and sold near each in the last minutes. */
export class BookLadder {
  #root;
  #sides;
  #newest;
  #pending;
  #began = Date.now();
  #profile = [];

  constructor(root) {
    this.#root = root;
    this.#sides = Object.fromEntries(
      ["asks", "bids"].map((side) => [side, rows(this.#find(side), side)]),
    );
    root.addEventListener("click", (event) => tellPrice(event.target.closest("[data-price]")));
    setInterval(() => this.#look(), 1_000);
    this.#look();
  }

  /** A message's data of the topic `book`; drawn with the next screen frame. */
  take(book) {
    this.#newest = Date.now();
    if (!this.#pending) requestAnimationFrame(() => this.#draw());
    this.#pending = book;
  }

  /** Rows of /api/profile of the last minutes: {price (lower edge), buy, sell}. */
  set profile(rows) {
    this.#profile = rows.map(({ price, buy, sell }) => ({
      price: Number(price),
      delta: buy - sell,
    }));
  }

  #find(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  #draw() {
    const book = this.#pending;
    this.#pending = undefined;
    const levels = [...book.asks, ...book.bids];
    const deepest = Math.max(...levels.map(([, quantity]) => Number(quantity)), 0);
    const digits = Math.max(0, ...levels.map(([price]) => places(price)));
    const amount = Math.max(0, ...levels.map(([, quantity]) => places(quantity)));
    const deltas = this.#deltas(book);
    const most = Math.max(0, ...[...deltas.values()].map(Math.abs));
    for (const [side, cells] of Object.entries(this.#sides)) {
      cells.forEach(({ row, price, quantity, delta }, index) => {
        // asks stand with the best one at the foot
        const level = book[side][side === "asks" ? SHOWN - 1 - index : index];
        row.classList.toggle("is-empty", !level);
        price.textContent = level ? money(level[0], digits) : " ";
        if (level) row.dataset.price = level[0];
        quantity.textContent = level ? money(level[1], amount) : " ";
        row.style.setProperty(
          "--share",
          level && deepest ? `${(Number(level[1]) / deepest) * 100}%` : "0%",
        );
        drawDelta(delta, level ? (deltas.get(level[0]) ?? 0) : 0, most);
      });
    }
    this.#find("mid").textContent = book.mid === null ? "–" : money(book.mid, places(book.mid));
    this.#find("spread").textContent = book.spread === null ? "–" : money(book.spread, digits);
    this.#drawBalance(book.imbalance);
    this.#look();
  }

  #drawBalance(imbalance) {
    const share = Number(imbalance ?? 0);
    this.#find("balance").hidden = imbalance === null;
    this.#find("balance").style.setProperty("--bids", `${(1 + share) * 50}%`);
    const text = imbalance === null ? "–" : `${signed(share * 100)} %`;
    this.#find("imbalance").textContent = text;
    this.#find("imbalance").className = `number ${toneOf(text)}`;
  }

  /** What was traded between one shown price and the next belongs to the nearer one. */
  #deltas({ asks, bids }) {
    const prices = [...asks.slice(0, SHOWN), ...bids.slice(0, SHOWN)].map(([price]) => price);
    const sums = new Map();
    if (!prices.length || !this.#profile.length) return sums;
    const numbers = prices.map(Number);
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const reach = (high - low) / (numbers.length * 2);
    for (const { price, delta } of this.#profile) {
      if (price < low - reach || price > high + reach) continue;
      let near = 0;
      numbers.forEach((number, at) => {
        if (Math.abs(number - price) < Math.abs(numbers[near] - price)) near = at;
      });
      sums.set(prices[near], (sums.get(prices[near]) ?? 0) + delta);
    }
    return sums;
  }

  #look() {
    const isOld = !this.#newest || Date.now() - this.#newest > OLD_MS;
    const isFirst = !this.#newest && Date.now() - this.#began < FIRST_MS;
    this.#root.classList.toggle("is-stale", isOld);
    this.#find("age").textContent = isOld
      ? this.#root.dataset[isFirst ? "connecting" : "none"]
      : "";
  }
}

/** A price that is pressed is the ticket's. */
function tellPrice(row) {
  if (!row) return;
  const detail = { price: row.dataset.price };
  document.dispatchEvent(new CustomEvent("tapelog:price", { detail }));
}

function drawDelta(cell, delta, most) {
  cell.className = `at-price ${delta < 0 ? "is-down" : "is-up"}`;
  cell.style.setProperty("--part", most ? `${(Math.abs(delta) / most) * 50}%` : "0%");
  cell.title = delta ? signed(delta, 4) : "";
}

function rows(body, side) {
  return Array.from({ length: SHOWN }, () => {
    const row = body.insertRow();
    row.className = side;
    const price = Object.assign(row.insertCell(), { textContent: " " });
    const quantity = Object.assign(row.insertCell(), { className: "number" });
    return { row, price, quantity, delta: row.insertCell() };
  });
}
