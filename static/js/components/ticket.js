import { ask, newKey, targetsOf, tickOf, wordOf } from "../lib/orders.js";

const PREVIEW_MS = 250;
/** After which a question is put again that nobody could answer just now. */
const AGAIN_MS = 2000;

/** The ticket: asks what an order would be while it is typed, and places it after one confirmation. */
export class Ticket {
  #form;
  #timer;
  #asked = 0;
  #key = newKey();
  #isConfirming = false;
  #onPlaced;

  constructor(form, onPlaced) {
    this.#form = form;
    this.#onPlaced = onPlaced;
    form.addEventListener("input", () => this.#changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#calm();
    });
    this.#changed();
  }

  /** A price from elsewhere, the chart say: "price", "stop" or "targets". */
  set(name, value) {
    this.#form.elements[name].value = value;
    this.#changed();
  }

  get account() {
    return this.#form.elements.account.value;
  }

  body() {
    const { market, symbol } = this.#form.dataset;
    const data = new FormData(this.#form);
    const text = (name) => String(data.get(name) ?? "").trim();
    const isLimit = text("type") === "LIMIT";
    const body = { account: text("account"), market, symbol };
    Object.assign(body, { side: text("side"), type: text("type") });
    if (isLimit) body.price = text("price");
    const stop = text("stop");
    if (stop) body.risk = { stop };
    if (text("by") === "quantity") body.quantity = text("size");
    else body.risk = { ...body.risk, [text("by")]: text("size") };
    const entry = isLimit ? text("price") : (this.#form.dataset.entry ?? "");
    const targets = targetsOf(text("targets"), entry, stop, tickOf(entry, stop));
    if (targets.length) body.targets = targets;
    if (text("setup")) body.plan = { setup: text("setup") };
    if (text("override")) body.override = text("override");
    return body;
  }

  #changed() {
    this.#key = newKey(); // another order
    this.#calm();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#preview(), PREVIEW_MS);
  }

  async #preview() {
    const number = ++this.#asked;
    const body = this.body();
    if (body.type === "LIMIT" && !body.price) return this.#show({}, [], false);
    const { status, body: said } = await ask("POST", "/api/orders/preview", body);
    if (number !== this.#asked) return;
    if (isPassing(status)) this.#timer = setTimeout(() => this.#preview(), AGAIN_MS);
    if (status !== 200) return this.#show({}, [{ ...said, isBlocking: true }], false);
    this.#form.dataset.entry = said.entry ?? "";
    const problems = said.problems.map((row) => ({ ...row, isBlocking: true }));
    const isRuleOnly = problems.every((row) => row.code.startsWith("rule_"));
    const override = this.#form.querySelector("[data-override]");
    override.hidden = !problems.length || !isRuleOnly;
    const mayGo = !problems.length || (isRuleOnly && Boolean(body.override));
    this.#show(said, [...problems, ...said.warnings], mayGo);
  }

  #show(figures, rows, mayGo) {
    for (const place of this.#form.querySelectorAll("[data-figure]")) {
      const value = figures[place.dataset.figure];
      place.textContent = (Array.isArray(value) ? value.join(" · ") : value) || "–";
    }
    this.#form.querySelector("[data-record]").textContent = recordText(figures, this.#form.dataset);
    const list = this.#form.querySelector("[data-problems]");
    list.replaceChildren(
      ...rows.map((row) => {
        const item = document.createElement("li");
        item.textContent = row.detail ?? row.code ?? "…";
        item.classList.toggle("is-blocking", Boolean(row.isBlocking));
        return item;
      }),
    );
    this.#form.querySelector("[data-place]").disabled = !mayGo;
  }

  async #submit() {
    const button = this.#form.querySelector("[data-place]");
    if (button.disabled) return;
    const body = this.body();
    if (!this.#isConfirming) {
      this.#isConfirming = true;
      const price = body.price ?? this.#form.dataset.entry;
      const quantity = this.#form.querySelector("[data-figure=quantity]").textContent.trim();
      const side = wordOf(body.side, this.#form.dataset);
      button.textContent = `${this.#form.dataset.sure}: ${side} ${quantity} @ ${price}`;
      return;
    }
    button.disabled = true;
    this.#say(this.#form.dataset.sending);
    const { status, body: said } = await ask("POST", "/api/orders", body, this.#key);
    this.#calm();
    if (status === 201) {
      const became = wordOf(said.order.status, this.#form.dataset);
      this.#say(`${this.#form.dataset.accepted}: ${became}`);
    } else if (isUnclear(status)) this.#say(this.#form.dataset.unknown);
    else this.#say(said.detail ?? `HTTP ${status}`);
    button.disabled = false;
    // the next click asks what came of it, and places nothing new
    if (!isUnclear(status)) this.#key = newKey();
    this.#onPlaced();
  }

  #calm() {
    this.#isConfirming = false;
    const button = this.#form.querySelector("[data-place]");
    button.dataset.text ??= button.textContent;
    button.textContent = button.dataset.text;
  }

  #say(text) {
    this.#form.querySelector("[data-said]").textContent = text;
  }
}

/** The flow of the moment and one's own record in such ones, with its count and range. */
function recordText({ flow, record }, words) {
  if (!flow) return "";
  const share = flow.share === null ? "–" : `${Math.round(Number(flow.share) * 100)} %`;
  const name = flow.verdict === "unknown" ? "unknownFlow" : flow.verdict;
  const now = `${words[name]} (${share})`;
  if (!record?.n) return `${now} · ${words.noRecord}`;
  const { n, wins, mean, low, high, currency } = record;
  return `${now} · n ${n}, ${wins} ✓ · ${mean} ${currency} (${low} … ${high})`;
}

/** What is asked is right, only the moment is not. */
function isPassing(status) {
  return status === 0 || status === 429 || status >= 500;
}

/** No answer, or one that does not say whether the order was placed. */
function isUnclear(status) {
  return status === 0 || status === 202 || status >= 500;
}
