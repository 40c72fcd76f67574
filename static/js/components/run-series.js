import { customSeriesDefaultOptions } from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

/**
 * A line that is not drawn where nothing is known: the library's own line and area join what stands on
 * both sides of a hole. Points are {time, value}; a time without a value is a hole. Options: `color`,
 * `lineWidth`, `fill` (a colour down to zero), `isDashed`, `opacity`.
 */
export class RunSeries {
  #data;
  #options;
  #renderer = { draw: (target, toY) => this.#draw(target, toY) };

  renderer() {
    return this.#renderer;
  }

  update(data, options) {
    [this.#data, this.#options] = [data, options];
  }

  priceValueBuilder({ value }) {
    return [value];
  }

  isWhitespace({ value }) {
    return value === undefined;
  }

  defaultOptions() {
    return { ...customSeriesDefaultOptions, lineWidth: 1, fill: "", isDashed: false, opacity: 1 };
  }

  #draw(target, toY) {
    const range = this.#data?.visibleRange;
    if (!range) return;
    const shown = withNeighbours(this.#data.bars, range, this.#data.barSpacing);
    const spacing = this.#data.barSpacing;
    target.useMediaCoordinateSpace(({ context }) => {
      context.save();
      context.globalAlpha = this.#options.opacity;
      for (const run of withoutHoles(shown)) this.#drawRun(context, run, toY, spacing);
      context.restore();
    });
  }

  #drawRun(context, run, toY, spacing) {
    const { color, lineWidth, fill, isDashed } = this.#options;
    const points = run.map(({ x, originalData }) => [x, toY(originalData.value)]);
    // one bar between two holes is a short stroke
    if (points.length === 1)
      points.unshift([points[0][0] - Math.max(1, spacing * 0.4), points[0][1]]);
    const line = new Path2D();
    points.forEach(([x, y], index) => line[index ? "lineTo" : "moveTo"](x, y));
    if (fill) {
      const area = new Path2D(line);
      area.lineTo(points.at(-1)[0], toY(0));
      area.lineTo(points[0][0], toY(0));
      context.fillStyle = fill;
      context.fill(area);
    }
    context.strokeStyle = color;
    context.lineWidth = lineWidth;
    context.lineJoin = "round";
    context.setLineDash(isDashed ? [5, 4] : []);
    context.stroke(line);
  }
}

/** What is seen and the bars beside it, whose places the library has not worked out. */
function withNeighbours(bars, { from, to }, spacing) {
  const shown = bars.slice(from, to);
  const [before, after] = [bars[from - 1], bars[to]];
  const [first, last] = [shown[0], shown.at(-1)];
  if (before && first)
    shown.unshift({ ...before, x: first.x - (first.time - before.time) * spacing });
  if (after && last) shown.push({ ...after, x: last.x + (after.time - last.time) * spacing });
  return shown;
}

/** Items cut where their places on the axis do not follow one another. */
export function withoutHoles(items) {
  const runs = [];
  items.forEach((item, index) => {
    if (!index || item.time !== items[index - 1].time + 1) runs.push([]);
    runs.at(-1).push(item);
  });
  return runs;
}
