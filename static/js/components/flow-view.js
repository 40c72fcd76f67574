import { decimals } from "../lib/amounts.js";
import { BarWindow } from "../lib/bar-window.js";
import { betweenText } from "../lib/clock.js";
import { cumulate } from "../lib/flow-lines.js";
import { money } from "../lib/format.js";
import { holes } from "../lib/spans.js";
import { ChartLegend } from "./chart-legend.js";
import { FlowChart } from "./flow-chart.js";

const SCROLL_MS = 100;
const RETRY_MS = 3_000;

/** A chart of one tape with its bars: read by need, kept in its place when the interval changes, moved by live bars. */
export class FlowView {
  #root;
  #ask;
  #chart;
  #legend;
  #window;
  #next;
  #wish;
  #words;
  #onDraw;
  #isDue = false;
  #isWhole = false;
  #scrolled;
  #retry;
  #digits = 2;
  #lines = [];
  #options = { anchor: "visible", until: undefined, anchorName: "", scaleName: "" };

  /** `ask(query)` reads /api/cvd/range of the tape; `words` are texts; `onDraw(lines)` hears of each drawing. */
  constructor(root, { ask, words, onDraw = () => {}, onMove = () => {} }) {
    [this.#root, this.#ask, this.#words, this.#onDraw] = [root, ask, words, onDraw];
    this.#chart = new FlowChart(this.#find("chart"), {
      onEdge: (side) => this.#more(side),
      onMove: () => {
        this.#scroll();
        onMove();
      },
      words,
    });
    this.#legend = new ChartLegend(this.#chart, { words, chips: this.#find("chips") });
    this.#find("go-now")?.addEventListener("click", () => this.goNow());
  }

  get chart() {
    return this.#chart;
  }

  get lines() {
    return this.#lines;
  }

  get window() {
    return this.#window;
  }

  get grain() {
    return (this.#next ?? this.#window)?.grain;
  }

  /** {anchor, anchorName, scaleName, until (s: nothing after it is drawn)}. */
  set options(options) {
    this.#options = { ...this.#options, ...options };
    this.redraw();
  }

  /** Bars of this interval and unit, around a time (s) or where one looked before; `now` for the newest. */
  async show(interval, unit, at) {
    const centre =
      at === "now" || (at === undefined && this.#chart.isFollowing)
        ? undefined
        : (at ?? this.#chart.centre);
    await this.#open(interval, unit, centre, undefined);
  }

  /** The same bars anew, where one looks. */
  async refresh() {
    const now = this.#next ?? this.#window;
    if (!now) return;
    const here = this.#chart.isFollowing ? undefined : this.#chart.centre;
    const centre = this.#next ? this.#wish : here;
    await this.#open(now.interval, now.unit, centre, this.#window && this.#chart.room);
  }

  async goNow() {
    if (this.#window && !this.#window.isAtNow)
      await this.show(this.#window.interval, this.#window.unit, "now");
    else this.#chart.go();
    this.#tellPlace();
  }

  /** A live bar; drawn with the next screen frame. */
  take(bar, grain) {
    if (this.#window?.take(bar, grain)) this.redraw(true);
  }

  /** However fast reasons come, at most one drawing a screen frame. */
  redraw(isTick = false) {
    this.#isWhole ||= !isTick;
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  /** Everything at once, for whoever goes on with what is drawn. */
  drawNow() {
    this.#isWhole = true;
    this.#draw();
  }

  #find(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  async #open(interval, unit, centre, count) {
    clearTimeout(this.#retry);
    this.#next?.close();
    const opened = new BarWindow({
      interval,
      unit,
      ask: (query) => this.#ask({ ...query, unit }),
      onChange: () => this.redraw(),
    });
    opened.unit = unit;
    [this.#next, this.#wish] = [opened, centre];
    this.#tell("loading", true);
    try {
      await opened.open(centre);
    } catch (error) {
      if (this.#next === opened)
        this.#failed(error, () => this.#open(interval, unit, centre, count));
      return;
    }
    if (this.#next !== opened) return;
    this.#window?.close();
    [this.#window, this.#next] = [opened, undefined];
    this.#tell("loading", false);
    this.#tell("failed", false);
    this.#isWhole = true;
    this.#draw();
    this.#chart.go(centre, count);
    this.#tellPlace();
    this.redraw();
  }

  #failed(error, again) {
    const said = this.#root.querySelector("[data-failed]");
    if (said && error.message) said.title = error.message;
    this.#tell("failed", true);
    this.#retry = setTimeout(again, RETRY_MS * (0.7 + 0.6 * Math.random()));
  }

  /** Near an end of what is there: the next page. */
  async #more(side) {
    const window = this.#window;
    if (!window || this.#next) return;
    const reading = window[side]();
    this.#tell("reading", window.isWaiting);
    try {
      if (await reading) this.redraw();
    } catch {
      /* the next look asks again */
    }
    this.#tell("reading", window.isWaiting);
  }

  #scroll() {
    this.#tellPlace();
    this.#legend.follow();
    if (this.#options.anchor !== "visible" || this.#scrolled) return;
    this.#scrolled = setTimeout(() => {
      this.#scrolled = undefined;
      this.redraw();
    }, SCROLL_MS);
  }

  #draw() {
    const window = this.#window;
    if (!window) return;
    const { until, anchor, anchorName, scaleName } = this.#options;
    const isTick = !this.#isWhole;
    this.#isWhole = false;
    const all = window.lines;
    const bars = until === undefined ? all : all.filter(({ time }) => time <= until);
    this.#lines = cumulate(bars, anchor === "visible" ? this.#chart.firstVisible : anchor);
    if (!isTick)
      this.#digits = decimals(all.slice(-200).flatMap(({ open, close }) => [open, close]));
    const { from, to } = window.extent(all);
    const last = until === undefined ? to : Math.min(to, this.#lines.at(-1)?.time ?? from);
    const missing = holes(this.#lines, window.seconds, {
      from,
      to: last,
      missing: window.missing,
      gaps: window.gaps,
    });
    this.#chart.draw({
      lines: this.#lines,
      seconds: window.seconds,
      from,
      to: last,
      holes: missing.map((hole) => ({ ...hole, words: this.#holeWords(hole, window.seconds) })),
      digits: this.#digits,
      isTick,
      isOpenEnded: window.isAtNow,
    });
    this.#legend.draw(this.#lines, {
      seconds: window.seconds,
      interval: window.interval,
      anchor: anchorName,
      scale: scaleName,
      isApproximate: window.approximate,
    });
    this.#tell("reading", window.isWaiting);
    this.#tell("empty", !all.length);
    this.#listHoles(missing, window.seconds);
    this.#onDraw(this.#lines);
  }

  #holeWords({ from, to, state, reason, trades }, seconds) {
    const words = [`${this.#words.nothing} ${betweenText(from, to, seconds)}`];
    if (state === "fetching") words.push(this.#words.fetching);
    else if (trades) words.push(`${money(trades)} ${this.#words.missing}`);
    else if (reason) words.push(this.#find("gaps")?.dataset[reason] ?? reason);
    return words;
  }

  /** The same in words, for whoever does not see the canvas. */
  #listHoles(missing, seconds) {
    const list = this.#find("gaps");
    if (!list) return;
    const [first, last] = this.#chart.visible ?? [0, Infinity];
    const shown = missing.filter(({ from, to }) => to > first && from <= last).slice(-5);
    const texts = shown.map((hole) => this.#holeWords(hole, seconds).join(": "));
    if (texts.join() === [...list.children].map(({ textContent }) => textContent).join()) return;
    list.replaceChildren(
      ...texts.map((textContent) => Object.assign(document.createElement("li"), { textContent })),
    );
  }

  #tell(state, isOn) {
    this.#root.classList.toggle(`is-${state}`, isOn);
    const element = this.#root.querySelector(`[data-${state}]`);
    if (element) element.hidden = !isOn;
  }

  #tellPlace() {
    const button = this.#find("go-now");
    if (button) button.hidden = !this.#window || (this.#chart.isFollowing && this.#window.isAtNow);
  }
}
