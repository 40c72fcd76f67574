import { compact } from "../lib/amounts.js";
import { read, send } from "../lib/api.js";
import { hidesAmounts, money } from "../lib/format.js";

// fills of one order come within moments and are one event for a person
const TOGETHER_MS = 900;
const SECONDS = 20;
const TRY_MS = 1_000;
const MOST_TRIES = 15;
const MINUTE = 60;

/** After each own fill: what was done, what takers did in the minute before, and one field for the stop. */
export class FillToast {
  #root;
  #template;
  #waiting = new Map();

  constructor(root, template) {
    this.#root = root;
    this.#template = template;
  }

  hear({ kind, account, market, symbol, side, quantity, price }) {
    if (kind !== "fill") return;
    const key = [account, market, symbol, side].join(":");
    const known = this.#waiting.get(key) ?? {
      account,
      market,
      symbol,
      side,
      quantity: 0,
      value: 0,
    };
    clearTimeout(known.timer);
    known.quantity += Number(quantity);
    known.value += Number(quantity) * Number(price);
    known.timer = setTimeout(() => {
      this.#waiting.delete(key);
      this.#show(known);
    }, TOGETHER_MS);
    this.#waiting.set(key, known);
  }

  async #show(fill) {
    const delta = await lastMinute(fill).catch(() => null);
    const toast = this.#template.content.firstElementChild.cloneNode(true);
    toast.querySelector("[data-sentence]").textContent = this.#sentence(fill, delta);
    toast.querySelector("[data-close]").addEventListener("click", () => toast.remove());
    this.#root.append(toast);
    leaveLater(toast);
    const trade = await openTrade(fill, () => toast.isConnected);
    if (!trade) return;
    const link = toast.querySelector("[data-trade]");
    link.href = `/trades/${trade}/`;
    const form = toast.querySelector("form");
    form.addEventListener("submit", (event) => this.#keepStop(event, toast, trade));
    link.hidden = form.hidden = false;
  }

  #sentence({ market, symbol, side, quantity, value }, delta) {
    const words = this.#template.dataset;
    const isBuy = side === "BUY";
    const stand = delta === null ? "unknown" : delta > 0 === isBuy ? "with" : "against";
    const text = words[`${isBuy ? "bought" : "sold"}${stand[0].toUpperCase()}${stand.slice(1)}`];
    const hidden = hidesAmounts();
    return text
      .replace("{symbol}", market === "usdm" ? `${symbol} Perp` : symbol)
      .replace(
        "{quantity}",
        hidden
          ? "•••"
          : Number(quantity.toFixed(8)).toLocaleString("en", { maximumFractionDigits: 8 }),
      )
      .replace("{price}", money(value / quantity, value / quantity >= 1_000 ? 2 : 6))
      .replace(
        "{delta}",
        `${delta > 0 ? "+" : "−"}$${compact(Math.abs(delta ?? 0), { isSigned: false })}`,
      );
  }

  async #keepStop(event, toast, trade) {
    event.preventDefault();
    const field = toast.querySelector("[name=stop]");
    const said = toast.querySelector("[data-said]");
    try {
      await send("PATCH", `/api/trades/${trade}`, {
        planned_stop: field.value.replaceAll(",", ""),
      });
      said.textContent = this.#template.dataset.saved;
      event.target.remove();
    } catch (error) {
      said.textContent = error.message;
      field.setAttribute("aria-invalid", "true");
    }
  }
}

/** What takers bought less what they sold in the last minute before now, in quote. */
async function lastMinute({ market, symbol }) {
  const answer = await read("/api/cvd/realtime", {
    symbol,
    market,
    interval: "1s",
    minutes: 2,
    unit: "order",
  });
  const bars = answer.bars.slice(-MINUTE);
  return bars.length ? bars.reduce((sum, bar) => sum + Number(bar.delta), 0) : null;
}

/** The number of the trade that is open now in what was filled, asked for until its book is built;
 * null where the fill closed one. */
async function openTrade({ account, market, symbol }, isWanted) {
  for (let tries = 0; tries < MOST_TRIES && isWanted(); tries += 1) {
    const { positions } = await read("/api/positions", {}).catch(() => ({ positions: [] }));
    const position = positions.find(
      (row) => row.account === account && row.market === market && row.symbol === symbol,
    );
    if (position?.trade) return position.trade;
    await new Promise((done) => setTimeout(done, TRY_MS));
  }
  return null;
}

function leaveLater(toast) {
  let left = SECONDS;
  const timer = setInterval(() => {
    if (!toast.isConnected) clearInterval(timer);
    if (toast.matches(":hover, :focus-within")) return;
    left -= 1;
    if (left <= 0) toast.remove();
  }, 1_000);
}
