/** Where a time stands on a chart's axis, holes included, and which time stands at a place. Times in s, places by number. */
export class TimeAxis {
  #scale;
  #places = [];
  #seconds = 60;

  constructor(scale) {
    this.#scale = scale;
  }

  set(places, seconds) {
    [this.#places, this.#seconds] = [places, seconds];
  }

  get count() {
    return this.#places.length;
  }

  get first() {
    return this.#places[0];
  }

  get last() {
    return this.#places.at(-1);
  }

  /** Pixels from one bar to the next. */
  get spacing() {
    const [a, b] = [this.#scale.logicalToCoordinate(0), this.#scale.logicalToCoordinate(1)];
    return a === null || b === null ? 6 : b - a;
  }

  /** The left edge of the first bar that ends after this time; undefined while nothing is drawn. */
  left(time) {
    const x = this.#scale.logicalToCoordinate(this.#lowest(time));
    return x === null ? undefined : x - this.spacing / 2;
  }

  /** The right edge of the last bar that opens before this time. */
  right(time) {
    const x = this.#scale.logicalToCoordinate(this.#lowest(time) - 1);
    return x === null ? undefined : x + this.spacing / 2;
  }

  /** The middle of what is at this time, between bars too. */
  x(time) {
    return this.#scale.logicalToCoordinate(this.logical(time)) ?? undefined;
  }

  /** A time's place; beyond both ends as if bars went on. */
  logical(time) {
    if (!this.count) return 0;
    if (time < this.first) return (time - this.first) / this.#seconds;
    if (time >= this.last) return this.count - 1 + (time - this.last) / this.#seconds;
    const at = this.#lowest(time + 1) - 1;
    return at + (time - this.#places[at]) / (this.#places[at + 1] - this.#places[at]);
  }

  time(logical) {
    if (!this.count) return undefined;
    if (logical < 0) return this.first + logical * this.#seconds;
    if (logical >= this.count - 1) return this.last + (logical - this.count + 1) * this.#seconds;
    const at = Math.floor(logical);
    return this.#places[at] + (logical - at) * (this.#places[at + 1] - this.#places[at]);
  }

  /** Index of the first place at or after a time. */
  #lowest(time) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#places[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
