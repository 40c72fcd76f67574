/** Each line's last value beside its end, at least so far apart that all can be read, joined by a leader. */

const APART = 14;
const SWATCH = { wide: 4, high: 9 };

/** A primitive of a series; draws on that pane's price axis. `lines()` tells [{value, text, color, toY}]. */
export class EndLabels {
  #lines;
  #ask = () => {};
  #view;

  constructor(lines) {
    this.#lines = lines;
    this.#view = {
      zOrder: () => "top",
      renderer: () => ({ draw: (target) => this.#draw(target) }),
    };
  }

  attached({ requestUpdate }) {
    this.#ask = requestUpdate;
  }

  draw() {
    this.#ask();
  }

  priceAxisPaneViews() {
    return [this.#view];
  }

  #draw(target) {
    target.useMediaCoordinateSpace(({ context, mediaSize: { height } }) => {
      const ends = this.#lines().filter(({ y }) => y !== null && y !== undefined);
      const spread = spreadOut(
        ends.map(({ y }) => y),
        APART,
        8,
        height - 8,
      );
      context.font = `11px ${token("--font")}`;
      context.textBaseline = "middle";
      ends.forEach(({ y, text, color }, index) => {
        const at = spread[index];
        context.strokeStyle = color;
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(0, y);
        context.lineTo(6, at);
        context.stroke();
        context.fillStyle = color;
        context.fillRect(8, at - SWATCH.high / 2, SWATCH.wide, SWATCH.high);
        context.fillStyle = token("--text");
        context.fillText(text, 16, at);
      });
    });
  }
}

/** Heights moved as little as needed so that neighbours are `apart`, within `low` and `high`. */
export function spreadOut(heights, apart, low, high) {
  // a pane without values, which may be lower than its margins
  if (heights.length === 0) return [];
  const order = heights
    .map((y, index) => ({ y: Math.min(high, Math.max(low, y)), index }))
    .sort((a, b) => a.y - b.y);
  for (let at = 1; at < order.length; at += 1)
    order[at].y = Math.max(order[at].y, order[at - 1].y + apart);
  const over = order.at(-1).y - high;
  if (over > 0) {
    order.at(-1).y = high;
    for (let at = order.length - 2; at >= 0; at -= 1)
      order[at].y = Math.min(order[at].y, order[at + 1].y - apart);
  }
  const spread = [];
  for (const { y, index } of order) spread[index] = y;
  return spread;
}

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
