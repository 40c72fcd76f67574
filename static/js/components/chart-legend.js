import { bandText, compact, priceText, toneOfValue } from "../lib/amounts.js";
import { momentText } from "../lib/clock.js";
import { lastInView } from "../lib/spans.js";

/** Titles of the panes and what stands under the crosshair: prices, delta, CVD, each band; else the last bar in view. */
export class ChartLegend {
  #chart;
  #rows;
  #words;
  #chips;
  #lines = [];
  #known = new Map();
  #hovered;
  #written;
  #home;
  #after;
  #facts = { seconds: 60 };

  /** `chips` is where the bands' switches go; `words`: {name, cvd, bands, own, same, approximate}. */
  constructor(chart, { words, chips }) {
    [this.#chart, this.#words, this.#chips] = [chart, words, chips];
    this.#rows = ["price", "total", "bands"].map((name) => {
      const row = Object.assign(document.createElement("div"), { className: "legend" });
      row.dataset.legend = name;
      // beside the picture, not in it: it holds buttons
      chart.element.parentElement.append(row);
      return row;
    });
    this.#home = chips.parentElement;
    this.#after = chips.nextElementSibling;
    const phone = matchMedia("(max-width: 760px)");
    phone.addEventListener("change", () => this.#placeChips(phone.matches));
    this.#placeChips(phone.matches);
    chart.onHover = (time) => {
      this.#hovered = time;
      this.#write();
    };
    new ResizeObserver(() => this.#place()).observe(chart.element);
  }

  /** After each drawing. `facts`: {seconds, interval, anchor, scale, isApproximate}. */
  draw(lines, facts) {
    [this.#lines, this.#facts] = [lines, facts];
    this.#known = new Map(lines.map((line) => [line.time, line]));
    for (const name of this.#chart.bands.names) this.#chip(name);
    this.#write();
    this.#place();
  }

  /** After scrolling: another bar may be the last one in view. */
  follow() {
    if (this.#line !== this.#written) this.#write();
  }

  /** What the words are about; undefined where nothing is known. */
  get #line() {
    if (this.#hovered !== undefined) return this.#known.get(this.#hovered);
    return lastInView(this.#lines, this.#chart.visible);
  }

  /** In their pane; on a phone below the chart, where a finger finds them. */
  #placeChips(isPhone) {
    if (isPhone) this.#home.insertBefore(this.#chips, this.#after);
    else this.#rows[2].append(this.#chips);
  }

  #place() {
    requestAnimationFrame(() => {
      const top = this.#chart.element.getBoundingClientRect().top;
      this.#chart.library
        .panes()
        .slice(0, 3)
        .forEach((pane, at) => {
          const element = pane.getHTMLElement();
          if (element)
            this.#rows[at].style.top = `${element.getBoundingClientRect().top - top + 4}px`;
        });
    });
  }

  #write() {
    const line = this.#line;
    this.#written = line;
    const { seconds, interval, anchor } = this.#facts;
    const digits = this.#chart.digits;
    const parts = [part("b", this.#words.name), part("span", interval)];
    if (this.#hovered !== undefined) parts.push(part("time", momentText(this.#hovered, seconds)));
    if (line) {
      const tone = toneOfValue(line.close - line.open);
      for (const [letter, key] of [
        ["O", "open"],
        ["H", "high"],
        ["L", "low"],
        ["C", "close"],
      ])
        parts.push(figure(letter, priceText(line[key], digits), tone));
      parts.push(figure("Δ", compact(line.delta), toneOfValue(line.delta)));
    } else if (this.#hovered !== undefined) parts.push(part("span", this.#words.nothing));
    this.#rows[0].replaceChildren(...parts);
    this.#rows[1].replaceChildren(
      part("b", this.#words.cvd),
      ...(line ? [figure("", compact(line.cvd), toneOfValue(line.cvd))] : []),
      part("span", anchor ?? ""),
    );
    this.#writeBands(line);
  }

  #writeBands(line) {
    const { scale, isApproximate } = this.#facts;
    const row = this.#rows[2];
    const title = row.querySelector("b") ?? row.insertBefore(part("b", ""), row.firstChild);
    set(title, `${this.#words.bands}${isApproximate ? " ≈" : ""}`);
    title.title = isApproximate ? this.#words.approximate : "";
    const hint =
      row.querySelector(".scale") ??
      title.insertAdjacentElement("afterend", part("span", "", "scale"));
    set(hint, line && !line.bandCvd ? this.#words.totalOnly : (scale ?? ""));
    for (const chip of this.#chips.children) {
      const value = line?.bandCvd?.[chip.dataset.band];
      set(chip.querySelector(".figure"), value === undefined ? "–" : compact(value));
    }
  }

  #chip(name) {
    if (this.#chips.querySelector(`[data-band="${CSS.escape(name)}"]`)) return;
    const chip = Object.assign(document.createElement("button"), {
      type: "button",
      className: `chip band-${Math.min(5, this.#chart.bands.names.indexOf(name))}`,
    });
    chip.dataset.band = name;
    chip.append(part("span", bandText(name)), part("span", "–", "figure"));
    chip.setAttribute("aria-pressed", true);
    chip.addEventListener("click", () =>
      chip.setAttribute("aria-pressed", this.#chart.bands.toggle(name)),
    );
    for (const [event, chosen] of [
      ["pointerenter", name],
      ["focus", name],
      ["pointerleave", undefined],
      ["blur", undefined],
    ]) {
      chip.addEventListener(event, () => this.#chart.bands.light(chosen));
    }
    this.#chips.append(chip);
  }
}

function part(kind, textContent, className = "") {
  return Object.assign(document.createElement(kind), { textContent, className });
}

function figure(letter, text, tone) {
  const whole = part("span", letter ? `${letter} ` : "");
  whole.append(part("span", text, `figure ${tone}`));
  return whole;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
