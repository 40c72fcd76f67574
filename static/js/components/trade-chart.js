import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  LineSeries,
} from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

const DASHED = 2;

/** Candles with the trader's own fills, entry, stop and target, and the CVD from the first of them on. */
export class TradeChart {
  #chart;
  #price;
  #cvd;
  #markers;
  #lines = [];
  #wish;

  constructor(element) {
    this.#chart = createChart(element, {
      autoSize: true,
      layout: { attributionLogo: false },
      timeScale: { timeVisible: true },
      localization: { locale: document.documentElement.lang },
    });
    this.#price = this.#chart.addSeries(CandlestickSeries, { borderVisible: true });
    this.#markers = createSeriesMarkers(this.#price, []);
    this.#cvd = this.#chart.addSeries(
      LineSeries,
      { lineWidth: 2, title: "CVD", priceFormat: { type: "volume" } },
      1,
    );
    this.#chart.panes()[0].setStretchFactor(2.5);
    dress(this.#chart, this.#price, this.#cvd);
  }

  /** Candles are [s, open, high, low, close, delta]. */
  draw(candles, fills, step) {
    let cvd = 0;
    this.#cvd.setData(candles.map(([time, , , , , delta]) => ({ time, value: (cvd += delta) })));
    this.#price.setData(
      candles.map(([time, open, high, low, close]) => ({ time, open, high, low, close })),
    );
    this.#markers.setMarkers(merged(fills, step));
    this.#chart.timeScale().fitContent();
  }

  line(price, title, token) {
    const color = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
    this.#lines.push(
      this.#price.createPriceLine({ price, title, color, lineStyle: DASHED, lineWidth: 1 }),
    );
  }

  /** A level that is thought of, one at a time; undefined takes it away. */
  wish(price, title) {
    if (this.#wish) this.#price.removePriceLine(this.#wish);
    const color = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    this.#wish =
      price === undefined
        ? undefined
        : this.#price.createPriceLine({ price, title, color, lineStyle: DASHED, lineWidth: 1 });
  }
}

/** Fills of one bar and side become one marker with their count; a single one has its quantity, unless amounts are hidden. */
export function merged(fills, step) {
  const found = new Map();
  for (const fill of fills) {
    const time = Math.floor(fill.time / step) * step;
    const key = `${time}${fill.side}`;
    const known = found.get(key) ?? { time, side: fill.side, count: 0, quantity: 0 };
    found.set(key, {
      ...known,
      count: known.count + 1,
      quantity: known.quantity + Number(fill.quantity),
    });
  }
  const style = getComputedStyle(document.documentElement);
  const isHidden = "hidesAmounts" in document.body.dataset;
  return [...found.values()]
    .sort((a, b) => a.time - b.time)
    .map(({ time, side, count, quantity }) => ({
      time,
      position: side === "BUY" ? "belowBar" : "aboveBar",
      shape: side === "BUY" ? "arrowUp" : "arrowDown",
      color: style.getPropertyValue(side === "BUY" ? "--up" : "--down").trim(),
      text: count > 1 ? `${count}×` : isHidden ? "" : String(Number(quantity.toPrecision(4))),
    }));
}

function dress(chart, price, cvd) {
  const paint = () => {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(name).trim();
    chart.applyOptions({
      layout: {
        background: { color: token("--surface") },
        textColor: token("--muted"),
        attributionLogo: false,
        panes: { separatorColor: token("--line") },
      },
      grid: { vertLines: { color: token("--grid") }, horzLines: { color: token("--grid") } },
    });
    const [up, down] = [token("--up"), token("--down")];
    cvd.applyOptions({ color: token("--accent") });
    price.applyOptions({
      upColor: token("--surface"),
      downColor: down,
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
  };
  paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  new MutationObserver(paint).observe(document.documentElement, {
    attributeFilter: ["data-theme", "data-palette"],
  });
}
