import { money, places, signed, toneOf } from "../lib/format.js";

const SHOWN = 12;
const OLD_MS = 5_000;

/** The top of the order book: prices with bars of their share of the deepest level shown. */
export class BookLadder {
  #root;
  #sides;
  #newest;
  #pending;

  constructor(root) {
    this.#root = root;
    this.#sides = Object.fromEntries(
      ["asks", "bids"].map((side) => [side, rows(this.#find(side), side)]),
    );
    setInterval(() => this.#look(), 1_000);
    this.#look();
  }

  /** A message's data of the topic `book`; drawn with the next screen frame. */
  take(book) {
    this.#newest = Date.now();
    if (!this.#pending) requestAnimationFrame(() => this.#draw());
    this.#pending = book;
  }

  #find(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  #draw() {
    const book = this.#pending;
    this.#pending = undefined;
    const deepest = Math.max(
      ...[...book.asks, ...book.bids].map(([, quantity]) => Number(quantity)),
      0,
    );
    const digits = Math.max(0, ...[...book.asks, ...book.bids].map(([price]) => places(price)));
    const amount = Math.max(
      0,
      ...[...book.asks, ...book.bids].map(([, quantity]) => places(quantity)),
    );
    for (const [side, cells] of Object.entries(this.#sides)) {
      cells.forEach(({ row, price, quantity }, index) => {
        // asks stand with the best one at the foot
        const level = book[side][side === "asks" ? SHOWN - 1 - index : index];
        row.classList.toggle("is-empty", !level);
        price.textContent = level ? money(level[0], digits) : " ";
        quantity.textContent = level ? money(level[1], amount) : " ";
        row.style.setProperty(
          "--share",
          level && deepest ? `${(Number(level[1]) / deepest) * 100}%` : "0%",
        );
      });
    }
    this.#find("mid").textContent = book.mid === null ? "–" : money(book.mid, places(book.mid));
    this.#find("spread").textContent = book.spread === null ? "–" : money(book.spread, digits);
    const share = Number(book.imbalance ?? 0);
    this.#find("balance").style.setProperty("--bids", `${(1 + share) * 50}%`);
    const imbalance = book.imbalance === null ? "–" : `${signed(share * 100)} %`;
    this.#find("imbalance").textContent = imbalance;
    this.#find("imbalance").className = `number ${toneOf(imbalance)}`;
    this.#look();
  }

  #look() {
    const isOld = !this.#newest || Date.now() - this.#newest > OLD_MS;
    this.#root.classList.toggle("is-stale", isOld);
    this.#find("age").textContent = isOld ? this.#root.dataset.none : "";
  }
}

function rows(body, side) {
  return Array.from({ length: SHOWN }, () => {
    const row = body.insertRow();
    row.className = side;
    const price = Object.assign(row.insertCell(), { textContent: " " });
    return { row, price, quantity: Object.assign(row.insertCell(), { className: "number" }) };
  });
}
