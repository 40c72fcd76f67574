import { token } from "./chart-look.js";

const NEAR_PX = 6;
const DASHED = 2;

/** Lines at prices with a name; those that may be moved are dragged, and `onDrop(name, price)` hears where they were left. */
export class PriceLevels {
  #chart;
  #series;
  #element;
  #onDrop;
  #levels = new Map();
  #dragged;

  constructor(flowChart, onDrop = () => {}) {
    [this.#chart, this.#series, this.#element, this.#onDrop] = [
      flowChart.library,
      flowChart.price,
      flowChart.element,
      onDrop,
    ];
    // before the library hears of it, which would scroll
    this.#element.addEventListener("pointerdown", (event) => this.#take(event), true);
    this.#element.addEventListener("pointermove", (event) => this.#move(event), true);
    this.#element.addEventListener("pointerup", () => this.#drop(), true);
    this.#element.addEventListener("pointercancel", () => this.#drop(), true);
  }

  /** `price` undefined takes the level away. */
  set(name, { price, title = "", colour = "--accent", isMovable = false }) {
    const known = this.#levels.get(name);
    if (known) this.#series.removePriceLine(known.line);
    this.#levels.delete(name);
    if (price === undefined || !Number.isFinite(price)) return;
    const line = this.#series.createPriceLine({
      price,
      title,
      color: token(colour),
      lineStyle: DASHED,
      lineWidth: 1,
      axisLabelTextColor: token("--surface"),
    });
    this.#levels.set(name, { line, price, isMovable });
  }

  price(name) {
    return this.#levels.get(name)?.price;
  }

  get names() {
    return [...this.#levels.keys()];
  }

  /** Colours by the theme of now. */
  paint(colours) {
    for (const [name, { line }] of this.#levels)
      if (colours[name]) line.applyOptions({ color: token(colours[name]) });
  }

  #at(event) {
    const y = event.clientY - this.#element.getBoundingClientRect().top;
    const inPrice = y < this.#chart.panes()[0].getHeight();
    const near = [...this.#levels].find(
      ([, { price, isMovable }]) =>
        isMovable && Math.abs(this.#series.priceToCoordinate(price) - y) <= NEAR_PX,
    );
    return { y, name: inPrice ? near?.[0] : undefined };
  }

  #take(event) {
    const { name } = this.#at(event);
    if (!name || event.button !== 0) return;
    this.#dragged = name;
    this.#element.setPointerCapture(event.pointerId);
    this.#chart.applyOptions({ handleScroll: false, handleScale: false });
    event.stopPropagation();
    event.preventDefault();
  }

  #move(event) {
    const { y, name } = this.#at(event);
    this.#element.classList.toggle("is-grabbing", Boolean(name || this.#dragged));
    const price = this.#dragged && this.#series.coordinateToPrice(y);
    const level = this.#levels.get(this.#dragged);
    // gone while it was dragged: an order that was filled, say
    if (!level || !price || price <= 0) return;
    level.price = price;
    level.line.applyOptions({ price });
    event.stopPropagation();
  }

  #drop() {
    if (!this.#dragged) return;
    const name = this.#dragged;
    this.#dragged = undefined;
    this.#chart.applyOptions({ handleScroll: true, handleScale: true });
    const level = this.#levels.get(name);
    if (level) this.#onDrop(name, level.price);
  }
}
