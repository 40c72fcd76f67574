/** An alert where the eye is: a right click (a long press) on the chart, or the key A at the pointer. */
import { newAlert } from "../lib/alerts.js";
import { onKey } from "../lib/keys.js";

export class AlertAim {
  #chart;
  #menu;
  #of;
  #pointer;

  /** `chart` is a FlowChart, `menu` holds links [data-aim], `of` is `{ market, symbol }`. */
  constructor(chart, menu, of) {
    [this.#chart, this.#menu, this.#of] = [chart, menu, of];
    chart.element.addEventListener("pointermove", (event) => {
      this.#pointer = event;
    });
    chart.element.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      this.#open(event);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.#menu.contains(target)) this.#close();
    });
    onKey((event) => {
      if (event.key === "Escape") this.#close();
      if (event.key !== "a" || !this.#pointer) return;
      event.preventDefault();
      this.#open(this.#pointer);
    });
  }

  #open({ clientX, clientY }) {
    const box = this.#chart.element.getBoundingClientRect();
    const [x, y] = [clientX - box.left, clientY - box.top];
    this.#aim(x, y);
    this.#menu.hidden = false;
    const { offsetWidth, offsetHeight } = this.#menu;
    this.#menu.style.left = `${Math.max(0, Math.min(x, box.width - offsetWidth))}px`;
    this.#menu.style.top = `${Math.max(0, Math.min(y, box.height - offsetHeight))}px`;
    this.#menu.querySelector("a:not([hidden])").focus();
  }

  #close() {
    this.#menu.hidden = true;
  }

  #aim(x, y) {
    const [first, second] = this.#chart.library.panes().map((pane) => pane.getHeight());
    const price = y < first ? this.#chart.price.coordinateToPrice(y) : undefined;
    const level = price > 0 ? price.toFixed(this.#chart.digits) : undefined;
    const at = this.#chart.library.timeScale().coordinateToLogical(x);
    const band = y > first + second ? this.#chart.bands.nearest(at, y - first - second) : undefined;
    this.#point("level", level, { kind: "price_crosses", level });
    this.#point("band", band, { kind: "cvd_quantile", band, window_s: 3_600, quantile: 0.99 });
    for (const link of this.#menu.querySelectorAll("[data-aim-query]"))
      link.href = newAlert({ ...this.#of, ...Object.fromEntries(queryOf(link)) });
  }

  /** A link that needs to know what was pointed at; it is gone where that is nothing. */
  #point(name, what, known) {
    const link = this.#menu.querySelector(`[data-aim=${name}]`);
    link.hidden = what === undefined;
    link.querySelector("b").textContent = what ?? "";
    link.href = newAlert({ ...this.#of, unit: name === "band" ? "order" : undefined, ...known });
  }
}

const queryOf = (link) => new URLSearchParams(link.dataset.aimQuery);
