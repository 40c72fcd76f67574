/** The bars that a chart has: one stretch of time without unread parts, which grows to both sides by need. */
import { lineOf, rollUp } from "./flow-lines.js";
import { INTERVALS, opening } from "./spans.js";

const PAGE = 500;
const MOST = 6_000;
// a page that is being fetched from the exchange is asked for again so many times
const MOST_TRIES = 40;
const HOUR = 3_600;

/** `ask(query)` answers as /api/cvd/range does; `onChange` hears of bars that came without being waited for. */
export class BarWindow {
  #ask;
  #unit;
  #onChange;
  #now;
  #bars = new Map();
  #fine = new Map();
  #missing = [];
  #gaps = new Map();
  #sorted;
  #busy = new Set();
  #isGone = false;

  constructor({ interval, unit, ask, onChange = () => {}, now = () => Date.now() }) {
    [this.interval, this.seconds] = [interval, INTERVALS[interval]];
    [this.#ask, this.#unit, this.#onChange, this.#now] = [ask, unit, onChange, now];
    // open time of the first bar asked for, and of the one after the last (undefined: up to now)
    [this.from, this.to] = [undefined, undefined];
    // where the bars of shorter ones begin that the running bar is rolled up from
    this.tail = undefined;
    this.isFirst = false;
    this.approximate = false;
  }

  /** Which live bars this window wants. */
  get grain() {
    return this.seconds < 60 ? "1s" : "1m";
  }

  get isAtNow() {
    return this.from !== undefined && this.to === undefined;
  }

  get isWaiting() {
    return this.#busy.size > 0 || this.#missing.some(({ state }) => state === "fetching");
  }

  /** Nothing that comes later counts. */
  close() {
    this.#isGone = true;
  }

  /** A page around a time (s), or the newest one. */
  async open(at) {
    const running = this.#running();
    const end =
      at === undefined ? undefined : opening(at, this.seconds) + (PAGE / 2) * this.seconds;
    const isNow = end === undefined || end > running;
    this.from = (isNow ? running + this.seconds : end) - PAGE * this.seconds;
    this.to = isNow ? undefined : end;
    await Promise.all([
      this.#page("open", isNow ? undefined : end),
      isNow ? this.#openTail() : undefined,
    ]);
  }

  /** Another page before the oldest; false where there is none, or one is on its way. */
  async older() {
    if (this.isFirst || this.from === undefined || this.#busy.has("older")) return false;
    const end = this.from;
    const before = await this.#page("older", end);
    if (!before) return false;
    this.from = end - PAGE * this.seconds;
    this.#trim(true);
    return true;
  }

  async newer() {
    if (this.to === undefined || this.#busy.has("newer")) return false;
    const end = this.to + PAGE * this.seconds;
    const isNow = end > this.#running();
    if (isNow) await this.#openTail();
    if (!(await this.#page("newer", isNow ? undefined : end))) return false;
    this.to = isNow ? undefined : end;
    this.#trim(false);
    return true;
  }

  /** A bar of the live socket; whether it belongs here. */
  take(bar, grain) {
    if (!this.isAtNow || grain !== this.grain) return false;
    const line = lineOf(bar, this.#unit);
    if (grain === this.interval) this.#put(line);
    else if (line.time >= this.tail) this.#fine.set(line.time, line);
    else this.#again(opening(line.time, this.seconds));
    if (opening(line.time, this.seconds) > this.tail && grain !== this.interval)
      this.#settle(opening(line.time, this.seconds));
    if (this.#bars.size > MOST + PAGE) this.#trim(false);
    return true;
  }

  /** All bars, oldest first, the running one included. */
  get lines() {
    this.#sorted ??= [...this.#bars.values()].sort((a, b) => a.time - b.time);
    if (!this.isAtNow || !this.#fine.size) return this.#sorted;
    const parts = [...this.#fine.values()].sort((a, b) => a.time - b.time);
    const rolled = rollUp(parts, this.seconds);
    const known = this.#sorted.findLastIndex(({ time }) => time < rolled[0].time);
    return [...this.#sorted.slice(0, known + 1), ...rolled];
  }

  get missing() {
    return this.#missing;
  }

  get gaps() {
    return [...this.#gaps.values()];
  }

  /** First and last open time that an axis has to show. */
  extent(lines) {
    const first = this.isFirst ? lines[0]?.time : this.from;
    const last = this.isAtNow ? this.#running() : this.to - this.seconds;
    return {
      from: Math.min(first ?? last, lines[0]?.time ?? Infinity),
      to: Math.max(last, lines.at(-1)?.time ?? 0),
    };
  }

  #running() {
    return opening(this.#now() / 1_000, this.seconds);
  }

  #put(line) {
    const isNewest = this.#sorted && line.time >= (this.#sorted.at(-1)?.time ?? 0);
    if (isNewest && line.time === this.#sorted.at(-1)?.time)
      this.#sorted[this.#sorted.length - 1] = line;
    else if (isNewest) this.#sorted.push(line);
    else this.#sorted = undefined;
    this.#bars.set(line.time, line);
  }

  async #page(name, end, tries = 0) {
    this.#busy.add(name);
    let answer;
    try {
      answer = await this.#ask({
        interval: this.interval,
        limit: PAGE,
        ...(end === undefined ? {} : { before: end * 1_000 }),
      });
    } finally {
      this.#busy.delete(name);
    }
    if (this.#isGone) return undefined;
    this.#take(answer);
    if (answer.retry_ms && tries < MOST_TRIES) this.#later(name, end, tries, answer.retry_ms);
    return answer;
  }

  #later(name, end, tries, pause) {
    setTimeout(async () => {
      if (this.#isGone) return;
      try {
        await this.#page(`${name}${end}`, end, tries + 1);
      } catch {
        /* what is there stays; the next look asks again */
      }
      this.#onChange();
    }, pause);
  }

  #take({ bars, missing, gaps, approximate }) {
    const running = this.#running();
    for (const bar of bars) {
      const line = lineOf(bar, this.#unit);
      if (line.time < running || this.grain === this.interval) this.#bars.set(line.time, line);
    }
    this.#sorted = undefined;
    this.approximate ||= Boolean(approximate);
    for (const gap of gaps ?? []) this.#gaps.set(gap.from_id, gap);
    this.#isToldMissing(bars, missing);
  }

  /** What an answer says of its own stretch replaces what was said of it before. */
  #isToldMissing(bars, missing) {
    if (missing === undefined) {
      if (!bars.length) this.isFirst = true;
      return;
    }
    const begins = new Set(missing.map(({ from }) => from));
    const first = Math.min(...missing.map(({ from }) => from), bars[0]?.t ?? Infinity);
    const last = Math.max(...missing.map(({ to }) => to), bars.at(-1)?.t ?? 0);
    const kept = this.#missing.filter(
      (span) => !begins.has(span.from) && (span.to <= first || span.from > last),
    );
    this.#missing = [...kept, ...missing].sort((a, b) => a.from - b.from);
    if (missing.some(({ reason }) => reason === "before_listing")) this.isFirst = true;
  }

  /** The running bar's parts: hours that are over, then minutes (or seconds). */
  async #openTail() {
    this.tail = this.#running();
    this.#fine.clear();
    if (this.grain === this.interval) return;
    const hour = this.seconds > HOUR ? opening(this.#now() / 1_000, HOUR) : this.tail;
    const spans = [
      ["1h", this.tail, hour],
      [this.grain, hour, Math.floor(this.#now() / 1_000) + 60],
    ].filter(([, from, to]) => to > from);
    const answers = await Promise.all(
      spans.map(([interval, from, to]) =>
        this.#ask({ interval, start: from * 1_000, end: to * 1_000 }),
      ),
    );
    if (this.#isGone) return;
    for (const { bars } of answers)
      for (const bar of bars) this.#fine.set(bar.t / 1_000, lineOf(bar, this.#unit));
  }

  /** A longer bar has closed: the server's own takes the place of its parts. */
  async #settle(next) {
    if (this.#busy.has("settle")) return;
    this.#busy.add("settle");
    try {
      await this.#read(this.tail, next);
      this.tail = next;
      for (const time of this.#fine.keys()) if (time < next) this.#fine.delete(time);
    } catch {
      /* its parts stand in until the next bar closes */
    }
    this.#busy.delete("settle");
  }

  /** Bars behind the tail were written anew. */
  async #again(time) {
    if (this.#busy.has(time) || time < this.from) return;
    this.#busy.add(time);
    try {
      await this.#read(time, time + this.seconds);
    } catch {
      /* the next page has it */
    }
    this.#busy.delete(time);
    this.#onChange();
  }

  async #read(from, to) {
    const { bars } = await this.#ask({
      interval: this.interval,
      start: from * 1_000,
      end: to * 1_000,
    });
    if (this.#isGone) return;
    for (const bar of bars) this.#bars.set(bar.t / 1_000, lineOf(bar, this.#unit));
    this.#sorted = undefined;
  }

  /** At most MOST bars: what is farthest from where one looks goes. */
  #trim(keepsOldest) {
    if (this.#bars.size <= MOST) return;
    const times = [...this.#bars.keys()].sort((a, b) => a - b);
    const gone = keepsOldest ? times.slice(MOST) : times.slice(0, times.length - MOST);
    for (const time of gone) this.#bars.delete(time);
    if (keepsOldest) {
      this.to = gone[0];
      this.#fine.clear();
    } else {
      this.from = gone.at(-1) + this.seconds;
      this.isFirst = false;
    }
    this.#sorted = undefined;
  }
}
