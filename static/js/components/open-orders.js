import { ask, newKey, wordOf } from "../lib/orders.js";

const OPEN = new Set(["NEW", "PARTIALLY_FILLED", "PENDING_NEW"]);

/** Open orders and positions of one market: cancel, stop to break-even, close half or all. Each is
 * one click and one confirmation: the button asks before it acts. */
export class OpenOrders {
  #list;
  #words;
  #market;
  #symbol;
  /** The rows that stand, by what they are about: one that says the same stays, and with it a
   * button that has just been asked. */
  #shown = new Map();
  #asked = 0;
  #drawn = 0;
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
    const number = ++this.#asked;
    const query = new URLSearchParams({ account, market: this.#market, symbol: this.#symbol });
    const [orders, intents, positions] = await Promise.all([
      ask("GET", `/api/orders?${query}&limit=100`),
      ask("GET", `/api/orders/intents?${query}&limit=100`),
      this.#market === "usdm" ? ask("GET", "/api/positions") : { body: {} },
    ]);
    if (number < this.#drawn) return; // a later question was answered sooner
    this.#drawn = number;
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
    this.#show(rows);
  }

  #show(rows) {
    const before = this.#shown;
    this.#shown = new Map();
    for (const row of rows) {
      const says = [row.text, ...row.actions.map((action) => action.name)].join("\n");
      const old = before.get(row.key);
      this.#shown.set(row.key, old?.says === says ? old : { says, item: this.#item(row) });
    }
    const items = [...this.#shown.values()].map((row) => row.item);
    if (!items.length) {
      items.push(Object.assign(document.createElement("li"), { textContent: this.#words.none }));
    }
    const stands = [...this.#list.children];
    const isSame = stands.length === items.length && items.every((item, at) => item === stands[at]);
    if (!isSame) this.#list.replaceChildren(...items); // moving a button would take its focus
  }

  #positions(body, account) {
    const rows = body.reported ?? [];
    return rows.filter((row) => row.account === account && row.symbol === this.#symbol);
  }

  #intent(row) {
    const cancel = { name: this.#words.cancel, act: () => ask("DELETE", `/api/orders/${row.id}`) };
    return { key: row.order.client_id, text: told(this.#side(row), row.order), actions: [cancel] };
  }

  #order(account, row) {
    const query = new URLSearchParams({
      account,
      market: row.market,
      symbol: row.symbol,
      order_id: row.order_id,
    });
    const act = () => ask("DELETE", `/api/orders/exchange?${query}`);
    const cancel = { name: this.#words.cancel, act };
    return { key: row.client_id, text: told(this.#side(row), row), actions: [cancel] };
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
      { name: this.#words.half, act: close(half(amount)) },
      { name: this.#words.close, act: close(amount) },
    ];
    if (stop) {
      const body = { stop_price: row.entry_price };
      const act = () => ask("PATCH", `/api/orders/${stop.id}`, body, newKey());
      actions.unshift({ name: this.#words.even, act });
    }
    const key = [account, row.position_side, stop?.id].join(" ");
    return { key, text: `${amount} @ ${row.entry_price}`, actions };
  }

  #side(row) {
    return wordOf(row.side, this.#words);
  }

  #item({ text, actions }) {
    const item = document.createElement("li");
    item.append(text);
    for (const { name, act } of actions) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = name;
      button.addEventListener("click", () => this.#confirm(button, name, act));
      item.append(button);
    }
    return item;
  }

  async #confirm(button, name, act) {
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      button.textContent = `${name}?`;
      return;
    }
    button.disabled = true;
    const { status, body } = await act();
    const isDone = status < 300;
    button.textContent = isDone ? "✓" : (body.detail ?? `HTTP ${status}`);
    button.disabled = isDone; // the row goes when the exchange says so
    delete button.dataset.sure;
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
