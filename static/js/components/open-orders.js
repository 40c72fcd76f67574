import { ask, newKey } from "../lib/orders.js";

const OPEN = new Set(["NEW", "PARTIALLY_FILLED", "PENDING_NEW"]);

/** Open orders and positions of one market: cancel, stop to break-even, close half or all. Each is
 * one click and one confirmation: the button asks before it acts. */
export class OpenOrders {
  #list;
  #words;
  #market;
  #symbol;
  /** Those placed here that rest. */
  own = [];

  constructor(form) {
    this.#list = form.querySelector("[data-open]");
    this.#words = form.dataset;
    this.#market = form.dataset.market;
    this.#symbol = form.dataset.symbol;
  }

  async refresh(account) {
    if (!account) return;
    const query = new URLSearchParams({ account, market: this.#market, symbol: this.#symbol });
    const [orders, intents, positions] = await Promise.all([
      ask("GET", `/api/orders?${query}&limit=100`),
      ask("GET", `/api/orders/intents?${query}&limit=100`),
      this.#market === "usdm" ? ask("GET", "/api/positions") : { body: {} },
    ]);
    const open = (orders.body.rows ?? []).filter((row) => OPEN.has(row.status));
    const known = new Set(open.map((row) => row.client_id));
    this.own = (intents.body.rows ?? []).filter(
      (row) => row.state === "accepted" && OPEN.has(row.order?.status),
    );
    // an order that replaced another has a name of its own beside its intent's
    const isKnown = (row) => known.has(row.client_id) || known.has(row.order.client_id);
    const ours = this.own.filter((row) => !isKnown(row));
    const held = this.#positions(positions.body, account);
    const rows = [
      ...held.map((row) => this.#position(account, row, ours)),
      ...ours.map((row) => this.#intent(row)),
      ...open.map((row) => this.#order(account, row)),
    ];
    this.#list.replaceChildren(...rows);
    if (rows.length) return;
    const none = Object.assign(document.createElement("li"), { textContent: this.#words.none });
    this.#list.append(none);
  }

  #positions(body, account) {
    const rows = body.reported ?? [];
    return rows.filter((row) => row.account === account && row.symbol === this.#symbol);
  }

  #intent(row) {
    return this.#row(told(row.side, row.order), [
      [this.#words.cancel, () => ask("DELETE", `/api/orders/${row.id}`)],
    ]);
  }

  #order(account, row) {
    const query = new URLSearchParams({
      account,
      market: row.market,
      symbol: row.symbol,
      order_id: row.order_id,
    });
    return this.#row(told(row.side, row), [
      [this.#words.cancel, () => ask("DELETE", `/api/orders/exchange?${query}`)],
    ]);
  }

  #position(account, row, ours) {
    const amount = row.quantity;
    const close = (part) => () =>
      ask(
        "POST",
        "/api/trading/close",
        { account, symbol: row.symbol, amount: part, position_side: row.position_side ?? "BOTH" },
        newKey(),
      );
    const stop = ours.find((intent) => intent.role === "stop");
    const actions = [
      [this.#words.half, close(half(amount))],
      [this.#words.close, close(amount)],
    ];
    if (stop)
      actions.unshift([
        this.#words.even,
        () => ask("PATCH", `/api/orders/${stop.id}`, { stop_price: row.entry_price }, newKey()),
      ]);
    return this.#row(`${amount} @ ${row.entry_price}`, actions);
  }

  #row(text, actions) {
    const item = document.createElement("li");
    item.append(text);
    for (const [name, act] of actions) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = name;
      button.addEventListener("click", () => this.#confirm(button, act));
      item.append(button);
    }
    return item;
  }

  async #confirm(button, act) {
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      button.textContent += "?";
      return;
    }
    button.disabled = true;
    const { status, body } = await act();
    button.textContent = status < 300 ? "✓" : (body.detail ?? `HTTP ${status}`);
  }
}

/** Side, quantity where it is known (of an exit that waits for its entry it is not), and the price
 * or the trigger. */
function told(side, order) {
  const quantity = Number(order.quantity) ? order.quantity : "";
  const at = Number(order.price) ? order.price : `⌁ ${order.stop_price ?? ""}`;
  return [side, quantity, "@", at].filter(Boolean).join(" ");
}

/** Half of a signed amount, with as many places as it has. */
function half(amount) {
  const places = (String(amount).split(".")[1] ?? "").length;
  return (Number(amount) / 2).toFixed(places);
}
