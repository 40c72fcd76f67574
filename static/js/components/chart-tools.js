import { compact, percentText, priceText, spanText } from "../lib/amounts.js";
import { token } from "./chart-look.js";

/** Tools of a chart: a level that stays, a measure between two places, full screen, a picture. */
export class ChartTools {
  #view;
  #levels;
  #root;
  #key;
  #measure = new Measure();
  #mode;

  /** `root` holds the buttons [data-tool]; levels are kept in this browser by `key`. */
  constructor(root, view, levels, key) {
    [this.#root, this.#view, this.#levels, this.#key] = [
      root,
      view,
      levels,
      `tapelog.levels.${key}`,
    ];
    view.chart.price.attachPrimitive(this.#measure);
    for (const button of root.querySelectorAll("[data-tool]"))
      button.addEventListener("click", () => this.#press(button.dataset.tool));
    view.chart.element.addEventListener("click", (event) => this.#click(event));
    view.chart.element.addEventListener("pointermove", (event) => this.#move(event));
    document.addEventListener("keydown", ({ key: pressed }) => pressed === "Escape" && this.#end());
    document.addEventListener("fullscreenchange", () =>
      root
        .querySelector("[data-tool=full]")
        ?.setAttribute("aria-pressed", Boolean(document.fullscreenElement)),
    );
    this.#kept().forEach((price) => this.#draw(price));
    this.#count();
  }

  /** A level was dragged elsewhere. */
  moved(name, price) {
    const old = Number(name.replace("level", ""));
    this.#keep([...this.#kept().filter((known) => known !== old), price]);
    this.#levels.set(name, { price: undefined });
    this.#draw(price);
  }

  #press(tool) {
    if (tool === "picture") this.#picture();
    else if (tool === "full") this.#full();
    else if (tool === "clear") this.#clear();
    else if (this.#mode === tool) this.#end();
    else this.#begin(tool);
  }

  #begin(tool) {
    this.#mode = tool;
    this.#measure.clear();
    this.#tell();
  }

  #end() {
    this.#mode = undefined;
    this.#measure.clear();
    this.#tell();
  }

  #tell() {
    for (const button of this.#root.querySelectorAll("[data-tool=level], [data-tool=measure]"))
      button.setAttribute("aria-pressed", button.dataset.tool === this.#mode);
    this.#view.chart.element.classList.toggle("is-aiming", Boolean(this.#mode));
  }

  #point(event) {
    const { chart } = this.#view;
    const box = chart.element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const logical = chart.library.timeScale().coordinateToLogical(x);
    const price = chart.price.coordinateToPrice(y);
    if (logical === null || price === null || y > chart.library.panes()[0].getHeight())
      return undefined;
    return { logical, price, time: chart.axis.time(logical) };
  }

  #click(event) {
    if (!this.#mode || event.target.closest("button")) return;
    const point = this.#point(event);
    if (!point) return;
    if (this.#mode === "level") {
      this.#keep([...this.#kept(), point.price]);
      this.#draw(point.price);
      this.#end();
    } else if (this.#measure.isOpen) {
      this.#measure.isOpen = false;
      this.#mode = undefined;
      this.#tell();
    } else this.#measure.begin(point);
  }

  #move(event) {
    if (this.#mode !== "measure" || !this.#measure.isOpen) return;
    const point = this.#point(event);
    if (point) this.#measure.stretch(point, this.#words(this.#measure.start, point));
  }

  #words(start, end) {
    const { chart, lines } = this.#view;
    const [from, to] = [Math.min(start.time, end.time), Math.max(start.time, end.time)];
    const within = lines.filter(({ time }) => time >= from && time <= to);
    const delta = within.reduce((sum, line) => sum + line.delta, 0);
    const change = end.price - start.price;
    const sign = change > 0 ? "+" : "";
    return [
      `${sign}${priceText(change, chart.digits)} · ${percentText(change / start.price)}`,
      `${Math.abs(Math.round(end.logical - start.logical))} × ${this.#view.window.interval} · ${spanText(to - from)} · Δ ${compact(delta)}`,
    ];
  }

  // --- levels -------------------------------------------------------------------------------------

  #kept() {
    try {
      const known = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
      return Array.isArray(known) ? known.filter(Number.isFinite) : [];
    } catch {
      return [];
    }
  }

  #keep(prices) {
    localStorage.setItem(this.#key, JSON.stringify(prices.slice(-20)));
    this.#count();
  }

  #draw(price) {
    this.#levels.set(`level${price}`, { price, colour: "--warn", isMovable: true });
  }

  #clear() {
    for (const name of this.#levels.names)
      if (name.startsWith("level")) this.#levels.set(name, { price: undefined });
    this.#keep([]);
    this.#end();
  }

  #count() {
    const button = this.#root.querySelector("[data-tool=clear]");
    if (button) button.hidden = !this.#kept().length;
  }

  // --- full screen and picture --------------------------------------------------------------------

  #full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else
      this.#view.chart.element
        .closest("[data-full]")
        ?.requestFullscreen()
        .catch(() => {});
  }

  #picture() {
    const canvas = withLegends(this.#view.chart);
    canvas.toBlob((blob) => {
      const address = URL.createObjectURL(blob);
      const name = `${this.#root.dataset.picture ?? "chart"}-${new Date().toISOString().slice(0, 16).replace(/[T:]/g, "-")}.png`;
      const link = Object.assign(document.createElement("a"), { href: address, download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    });
  }
}

/** The chart as a picture, with the words that the page lays over it. */
function withLegends({ library, element }) {
  const shot = library.takeScreenshot(true);
  const ratio = shot.width / element.clientWidth;
  const context = shot.getContext("2d");
  context.scale(ratio, ratio);
  context.font = `11px ${token("--font")}`;
  context.textBaseline = "top";
  context.fillStyle = token("--ink-2");
  for (const row of element.parentElement.querySelectorAll(".legend")) {
    const text = [...row.querySelectorAll("b, span, time")]
      .filter((part) => !part.children.length)
      .map((part) => part.textContent)
      .filter(Boolean)
      .join("  ");
    context.fillText(text, 10, Number.parseFloat(row.style.top) || 4);
  }
  context.fillText("Tapelog", element.clientWidth - 130, 4);
  return shot;
}

/** Two corners and what lies between them; a primitive of the price series. */
class Measure {
  #series;
  #chart;
  #ask = () => {};
  #end;
  #words = [];
  #views = [{ zOrder: () => "top", renderer: () => ({ draw: (target) => this.#draw(target) }) }];
  isOpen = false;
  start;

  attached({ series, chart, requestUpdate }) {
    [this.#series, this.#chart, this.#ask] = [series, chart, requestUpdate];
  }

  paneViews() {
    return this.#views;
  }

  begin(point) {
    [this.start, this.#end, this.isOpen] = [point, undefined, true];
  }

  stretch(point, words) {
    [this.#end, this.#words] = [point, words];
    this.#ask();
  }

  clear() {
    [this.start, this.#end, this.isOpen] = [undefined, undefined, false];
    this.#ask();
  }

  #draw(target) {
    if (!this.start || !this.#end) return;
    const scale = this.#chart.timeScale();
    const [x1, x2] = [this.start, this.#end].map(({ logical }) =>
      scale.logicalToCoordinate(logical),
    );
    const [y1, y2] = [this.start, this.#end].map(({ price }) =>
      this.#series.priceToCoordinate(price),
    );
    if ([x1, x2, y1, y2].includes(null)) return;
    target.useMediaCoordinateSpace(({ context, mediaSize: { width } }) => {
      const tone = token(y2 <= y1 ? "--up" : "--down");
      context.fillStyle = tone;
      context.globalAlpha = 0.14;
      context.fillRect(x1, y1, x2 - x1, y2 - y1);
      context.globalAlpha = 1;
      context.strokeStyle = tone;
      context.strokeRect(x1, y1, x2 - x1, y2 - y1);
      context.font = `11px ${token("--font")}`;
      const wide = Math.max(...this.#words.map((text) => context.measureText(text).width)) + 14;
      const left = Math.max(2, Math.min(width - wide - 2, Math.min(x1, x2)));
      const top = Math.max(2, Math.min(y1, y2) - 40);
      context.fillStyle = token("--raised");
      context.fillRect(left, top, wide, 36);
      context.strokeStyle = token("--outline");
      context.strokeRect(left, top, wide, 36);
      context.fillStyle = token("--text");
      context.textBaseline = "middle";
      this.#words.forEach((text, line) => context.fillText(text, left + 7, top + 10 + 16 * line));
    });
  }
}
