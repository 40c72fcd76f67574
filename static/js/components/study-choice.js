import { read, send } from "../lib/api.js";

const MOST_BARS = 5_000;
const PROFILE_MS = 6 * 3_600_000;
const PAUSE_MS = 400;
const EVERY_MS = 60_000;

/** Which studies the user wants, remembered on the server, read again as bars close and the view moves. */
export class StudyChoice {
  #root;
  #chart;
  #facts;
  #onChange;
  #chosen = new Set();
  #timer;
  #asked = 0;
  #saved = Promise.resolve();

  /** `facts()` says symbol, market, interval, seconds, from and to (s) of the bars, and the words of marks; nothing before there are any. */
  constructor(root, chart, facts, onChange) {
    [this.#root, this.#chart, this.#facts, this.#onChange] = [root, chart, facts, onChange];
    for (const box of this.#boxes) box.disabled = true; // until it is known what was chosen before
    root.addEventListener("change", () => this.#choose());
    setInterval(() => document.hidden || this.loaded(), EVERY_MS);
    this.#begin();
  }

  has(name) {
    return this.#chosen.has(name);
  }

  /** Bars came, or the grain changed: ask again soon. */
  loaded() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), PAUSE_MS * (1 + 3 * Math.random())); // not all browsers at once
  }

  /** The view moved: what depends on it is asked for again. */
  moved() {
    if (this.has("profile") || this.has("vwap:0")) this.loaded();
  }

  get #boxes() {
    return [...this.#root.querySelectorAll("input")];
  }

  async #begin() {
    try {
      const { studies } = await read("/api/market-view", {});
      this.#take(studies);
      for (const box of this.#boxes) box.disabled = false;
    } catch {
      setTimeout(() => this.#begin(), 3_000);
    }
  }

  #take(studies) {
    this.#chosen = new Set(studies);
    for (const box of this.#boxes) box.checked = this.#chosen.has(box.value);
    this.#root.querySelector("[data-count]").textContent = studies.length
      ? `(${studies.length})`
      : "";
    this.#onChange();
    this.loaded();
  }

  #choose() {
    // what another page offers and this one does not (the other market's CVD) stays chosen
    const offered = new Set(this.#boxes.map(({ value }) => value));
    const kept = [...this.#chosen].filter((name) => !offered.has(name));
    const studies = [
      ...kept,
      ...this.#boxes.filter(({ checked }) => checked).map(({ value }) => value),
    ];
    this.#take(studies);
    this.#save(studies);
  }

  /** One after another, so that the last choice is the one that is kept; this page shows it anyway. */
  #save(studies) {
    this.#saved = this.#saved
      .then(() => send("PUT", "/api/market-view", { studies }))
      .catch(() => {});
  }

  async #read() {
    const facts = this.#facts();
    const visible = this.#chart.visible;
    if (!facts || !visible) return;
    const { symbol, market, interval, seconds, from, to, words } = facts;
    const asked = ++this.#asked;
    const end = to === undefined ? Date.now() : to * 1_000;
    const start = Math.max(from * 1_000, end - MOST_BARS * seconds * 1_000);
    const all = { symbol, market, interval, start, end };
    const seen = {
      ...all,
      start: Math.min(Math.max(visible[0] * 1_000, start), end - 1_000),
      end: Math.max((visible[1] + seconds) * 1_000, visible[0] * 1_000 + 60_000),
    };
    const wanted = [...this.#chosen].filter(
      (name) => !["marks", "profile", "pair", "vwap:0"].includes(name),
    );
    try {
      const [own, anchored, marks, profile] = await Promise.all([
        wanted.length
          ? read("/api/indicators", { ...all, indicators: wanted.join(",") })
          : undefined,
        this.has("vwap:0")
          ? read("/api/indicators", { ...all, start: seen.start, indicators: "vwap:0" })
          : undefined,
        this.has("marks") ? read("/api/marks", all) : undefined,
        this.has("profile")
          ? read("/api/profile", {
              ...seen,
              interval: "1m", // any: a profile is made of seconds
              start: Math.max(seen.start, seen.end - PROFILE_MS),
              rows: 60,
            })
          : undefined,
      ]);
      if (asked !== this.#asked) return; // a later question is under way
      this.#chart.drawStudies({ ...own?.series, ...anchored?.series });
      this.#chart.drawMarks(marks?.rows ?? [], words, seconds);
      this.#chart.drawProfile(profile?.rows ?? []);
    } catch {
      /* they stay as they are until the next try */
    }
  }
}
