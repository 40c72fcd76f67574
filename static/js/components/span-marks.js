/** Stretches of time through all panes: what is missing (hatched, with its words), the time of a trade (tinted). */

const EDGE = [4, 3];
const HATCH_PX = 7;
// where the legend above takes two lines
const NARROW = 480;
const LOW = 46;
const LABEL = { height: 18, pad: 7 };

/** A primitive of one pane; `axis` knows where a time stands (`left`, `right` in px), words stand `top` px below the edge, if any. */
export class SpanMarks {
  #axis;
  #top;
  #ask = () => {};
  #spans = [];
  #views;

  constructor(axis, top) {
    [this.#axis, this.#top] = [axis, top];
    this.#views = [
      { zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.#draw(target) }) },
      { zOrder: () => "top", renderer: () => ({ draw: (target) => this.#drawWords(target) }) },
    ];
  }

  attached({ requestUpdate }) {
    this.#ask = requestUpdate;
  }

  paneViews() {
    return this.#views;
  }

  /** [{from, to (s), kind: "hole" | "held" | "measure", words: [line, …]}, …] */
  set spans(spans) {
    this.#spans = spans;
    this.#ask();
  }

  #draw(target) {
    target.useMediaCoordinateSpace(({ context, mediaSize: { width, height } }) => {
      for (const span of this.#spans) {
        const [left, right] = this.#edges(span, width);
        if (right <= left) continue;
        if (span.kind === "hole") hatch(context, left, right, height);
        else tint(context, left, right, height);
      }
    });
  }

  #edges({ from, to }, width) {
    const [left, right] = [this.#axis.left(from), this.#axis.right(to)];
    return left === undefined || right === undefined
      ? [0, 0]
      : [Math.max(-HATCH_PX, left), Math.min(width + HATCH_PX, right)];
  }

  /** Where two would cover each other only the first has words. */
  #drawWords(target) {
    if (this.#top === undefined) return;
    target.useMediaCoordinateSpace(({ context, mediaSize: { width } }) => {
      let free = 0;
      for (const span of this.#spans) {
        const [left, right] = this.#edges(span, width);
        if (right <= left || !span.words?.length) continue;
        context.font = `11px ${token("--font")}`;
        const wide =
          Math.max(...span.words.map((text) => context.measureText(text).width)) + 2 * LABEL.pad;
        const x = Math.max(
          2,
          Math.min(width - wide - 2, (Math.max(0, left) + Math.min(width, right) - wide) / 2),
        );
        if (x < free) continue;
        if (span.kind === "hole")
          drawBox(context, x, wide, span.words, width < NARROW ? LOW : this.#top);
        else drawName(context, Math.max(4, left + 6), span.words[0], this.#top);
        free = x + wide + 4;
      }
    });
  }
}

function hatch(context, left, right, height) {
  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, height);
  context.clip();
  context.fillStyle = token("--surface");
  context.fill();
  context.strokeStyle = token("--hatch");
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = left - height; x < right; x += HATCH_PX) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
  context.strokeStyle = token("--control");
  context.lineWidth = 1;
  context.setLineDash(EDGE);
  context.beginPath();
  for (const x of [left, right]) {
    context.moveTo(Math.round(x) + 0.5, 0);
    context.lineTo(Math.round(x) + 0.5, height);
  }
  context.stroke();
  context.setLineDash([]);
}

function tint(context, left, right, height) {
  context.fillStyle = token("--accent");
  context.globalAlpha = 0.09;
  context.fillRect(left, 0, right - left, height);
  context.globalAlpha = 1;
}

function drawBox(context, x, wide, words, top) {
  context.fillStyle = token("--raised");
  context.strokeStyle = token("--outline");
  context.beginPath();
  context.roundRect(x, top, wide, LABEL.height * words.length + 4, 5);
  context.fill();
  context.stroke();
  words.forEach((text, line) => {
    context.fillStyle = token(line ? "--muted" : "--text");
    context.textBaseline = "middle";
    context.fillText(text, x + LABEL.pad, top + 2 + LABEL.height * (line + 0.5));
  });
}

function drawName(context, x, text, top) {
  context.fillStyle = token("--accent");
  context.textBaseline = "middle";
  context.fillText(text, x, top + LABEL.height / 2);
}

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
