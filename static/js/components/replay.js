import { momentText } from "../lib/clock.js";
import { price as priceText, signed, toneOf } from "../lib/format.js";
import { runningResult } from "../lib/running.js";

const TICK_MS = 100;
const LEAD_BARS = 5;
const MOST_PAGES = 12;

/** A trade as it went: what came later is not drawn; fills appear as they came, with the running result, and one may ask what leaving here would have made. */
export class Replay {
  #root;
  #view;
  #fills;
  #tape;
  #levels;
  #open;
  #times = [];
  #at = 0;
  #timer;
  #isOn = false;
  #wished = false;
  #span;

  /** `open()` reads the bars that are replayed. */
  constructor(root, view, { fills, tape, levels, open }) {
    [this.#root, this.#view, this.#fills, this.#tape, this.#levels, this.#open] = [
      root,
      view,
      fills,
      tape,
      levels,
      open,
    ];
    this.#find("play").addEventListener("click", () => this.#play());
    this.#find("leave").addEventListener("click", () => this.#leave());
    this.#find("end").addEventListener("click", () => this.#end());
    for (const button of root.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => this.step(Number(button.dataset.step)));
    }
    this.#find("position").addEventListener("input", ({ target }) =>
      this.#seek(Number(target.value)),
    );
  }

  /** The trade's time is known: it can begin. */
  ready(span) {
    this.#span = span;
  }

  /** Space plays and stops, arrows step (ten with Shift), `,` and `.` change the speed, X asks what if. */
  key(event) {
    const isControl = event.target.closest("button, summary, a, .scroll, .table-card");
    if (isControl && (event.key === " " || event.key.startsWith("Arrow"))) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const speeds = this.#find("speed");
    if (by || event.key === " ") event.preventDefault();
    if (by) this.step(by * (event.shiftKey ? 10 : 1));
    if (event.key === " ") this.#play();
    if (event.key === "x") this.#leave();
    if (event.key === "," && speeds.selectedIndex > 0) speeds.selectedIndex -= 1;
    if (event.key === "." && speeds.selectedIndex < speeds.options.length - 1)
      speeds.selectedIndex += 1;
  }

  #find(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  /** Bars of the trade's time with some before it; the future goes. */
  async #begin() {
    if (this.#isOn || !this.#span) return this.#isOn;
    this.#isOn = true;
    await this.#open();
    await this.#readAll();
    const { lines, window } = this.#view;
    const last = this.#span.to + 60 * window.seconds;
    this.#times = lines.map(({ time }) => time).filter((time) => time <= last);
    if (!this.#times.length) {
      this.#isOn = false;
      return false;
    }
    const first = this.#times.findIndex((time) => time + window.seconds > this.#span.from);
    this.#find("position").max = this.#times.length - 1;
    this.#find("end").hidden = false;
    this.#root.classList.add("is-replayed");
    this.#tape.isShown = true;
    this.#seek(Math.max(0, first - LEAD_BARS));
    return true;
  }

  /** The rest of the trade, page by page. */
  async #readAll() {
    const { window } = this.#view;
    for (let page = 0; page < MOST_PAGES && window.to < this.#span.to; page += 1) {
      if (!(await window.newer())) break;
    }
    this.#view.drawNow();
  }

  /** So many bars on or back; begins the replay. */
  async step(by) {
    if (await this.#begin()) this.#seek(this.#at + by);
  }

  #seek(at) {
    if (!this.#isOn) return;
    this.#at = Math.max(0, Math.min(this.#times.length - 1, at));
    const time = this.#times[this.#at];
    const { seconds } = this.#view.window;
    this.#view.options = { until: time };
    const now = time + seconds - 1;
    this.#view.chart.fills = this.#fills.filter((fill) => fill.time <= now);
    this.#view.chart.held = { from: this.#span.from, to: Math.min(now, this.#span.to), words: [] };
    this.#find("position").value = this.#at;
    this.#find("clock").textContent = momentText(time, seconds);
    const line = this.#view.window.lines.find((known) => known.time === time);
    if (line) this.#tell(now, line);
    requestAnimationFrame(() => {
      this.#view.chart.lead(time);
      const { lines, chart, window } = this.#view;
      this.#tape.draw(lines, chart.bands.names, window.interval);
    });
  }

  #tell(now, { close }) {
    const isOver = this.#fills.every(({ time }) => time <= now);
    const { gross } = this.#root.dataset;
    const value = isOver && gross ? Number(gross) : runningResult(this.#fills, now, close);
    const shown = value === undefined ? "–" : this.#amount(value);
    this.#find("pnl").textContent = shown;
    this.#find("pnl").className = `replay-result ${toneOf(shown)}`;
  }

  #amount(value) {
    return this.#find("replay").dataset.hide
      ? "•••"
      : `${signed(value, 2)} ${this.#root.dataset.quote}`;
  }

  async #play() {
    if (this.#timer) {
      this.#stop();
      return;
    }
    if (!(await this.#begin())) return;
    if (this.#at >= this.#times.length - 1) this.#seek(0);
    let owed = 0;
    this.#find("sign").textContent = "■";
    this.#timer = setInterval(() => {
      const step = this.#view.window.seconds;
      // bars of minutes and more pass at three a second and more
      owed +=
        ((Number(this.#find("speed").value) * TICK_MS) / 1_000 / Math.min(step, 60)) *
        (step > 1 ? 3 : 1);
      if (owed >= 1) this.#seek(this.#at + Math.floor(owed));
      owed %= 1;
      if (this.#at >= this.#times.length - 1) this.#stop();
    }, TICK_MS);
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#find("sign").textContent = "▶";
  }

  /** What the trade would have made, had all that was open been closed at the price of this moment; a second press takes it back. */
  async #leave() {
    if (!(await this.#begin())) return;
    const { window } = this.#view;
    const time = this.#times[this.#at];
    const line = window.lines.find((known) => known.time === time);
    const now = time + window.seconds - 1;
    const value = line && runningResult(this.#fills, now, line.close);
    this.#wished = !this.#wished && value !== undefined;
    const says = this.#find("what-if");
    this.#levels.set("wish", {
      price: this.#wished ? line.close : undefined,
      title: this.#root.dataset.whatIfLabel,
    });
    this.#find("leave").setAttribute("aria-pressed", this.#wished);
    says.textContent = this.#wished ? this.#words(says.dataset, line.close, value) : "";
  }

  #words({ out, instead }, price, value) {
    const words = [`${out} ${priceText(price)}: ${this.#amount(value)}`];
    const { gross } = this.#root.dataset;
    if (gross)
      words.push(
        `${instead} ${this.#amount(Number(gross))} (${this.#amount(value - Number(gross))})`,
      );
    return words.join(" · ");
  }

  /** The whole trade is drawn again. */
  #end() {
    this.#stop();
    this.#isOn = false;
    this.#wished = false;
    this.#levels.set("wish", { price: undefined });
    this.#find("end").hidden = true;
    this.#find("what-if").textContent = "";
    this.#root.classList.remove("is-replayed");
    this.#tape.isShown = false;
    this.#find("pnl").textContent = "–";
    this.#view.options = { until: undefined };
    this.#view.chart.fills = this.#fills;
    this.#view.chart.held = { ...this.#span, words: [this.#root.dataset.held] };
  }
}
