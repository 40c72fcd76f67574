/** Volume by price as bars from the right edge of the price pane: bought beside sold. A primitive of the chart. */
export class VolumeProfile {
  #rows = [];
  #series;
  #chart;
  #ask;
  #view;

  constructor() {
    this.#view = {
      zOrder: () => "bottom",
      renderer: () => ({ draw: (target) => this.#draw(target) }),
    };
  }

  attached({ series, chart, requestUpdate }) {
    [this.#series, this.#chart, this.#ask] = [series, chart, requestUpdate];
  }

  detached() {
    this.#series = undefined;
  }

  paneViews() {
    return [this.#view];
  }

  /** Rows of the API: {price (lower edge), buy, sell}, evenly spaced. */
  set rows(rows) {
    this.#rows = rows.map(({ price, buy, sell }) => ({
      price: Number(price),
      buy: Number(buy),
      sell: Number(sell),
    }));
    this.#ask?.();
  }

  #draw(target) {
    if (!this.#series || this.#rows.length < 2) return;
    const style = getComputedStyle(document.documentElement);
    const [up, down] = ["--up", "--down"].map((name) => style.getPropertyValue(name).trim());
    // rows without volume are not told
    const step = Math.min(
      ...this.#rows.slice(1).map(({ price }, index) => price - this.#rows[index].price),
    );
    const most = Math.max(...this.#rows.map(({ buy, sell }) => buy + sell));
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.globalAlpha = 0.3;
      for (const { price, buy, sell } of this.#rows) {
        const [low, high] = [
          this.#series.priceToCoordinate(price),
          this.#series.priceToCoordinate(price + step),
        ];
        if (low === null || high === null || !most) continue;
        const unit = (mediaSize.width * 0.25) / most;
        const height = Math.max(1, low - high - 1);
        context.fillStyle = up;
        context.fillRect(mediaSize.width - (buy + sell) * unit, high, buy * unit, height);
        context.fillStyle = down;
        context.fillRect(mediaSize.width - sell * unit, high, sell * unit, height);
      }
      context.globalAlpha = 1;
    });
  }
}
