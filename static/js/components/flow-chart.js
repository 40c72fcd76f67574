import { CandlestickSeries, LineSeries, createChart } from "/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";

const BAND_COLOURS = ["#8a94a6", "#5aa9e6", "#4cc38a", "#f2c14e", "#f08a4b", "#e5484d"];

/** Three panes: price, total CVD, CVD by band. */
export class FlowChart {
  #chart; #price; #total; #bands = new Map(); #fitted = false;

  constructor(element) {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(name).trim();
    this.#chart = createChart(element, {
      autoSize: true,
      layout: { background: { color: token("--surface") }, textColor: token("--muted"), attributionLogo: false },
      grid: { vertLines: { color: token("--line") }, horzLines: { color: token("--line") } },
      timeScale: { timeVisible: true, secondsVisible: false },
      localization: { locale: document.documentElement.lang },
    });
    this.#price = this.#chart.addSeries(CandlestickSeries, { upColor: token("--up"), downColor: token("--down"), borderVisible: false });
    this.#total = this.#chart.addSeries(LineSeries, { color: token("--accent"), lineWidth: 2, title: "CVD", priceFormat: { type: "volume" } }, 1);
  }

  draw(lines) {
    this.#price.setData(lines.map(({ time, bar }) => ({
      time, open: Number(bar.open), high: Number(bar.high), low: Number(bar.low), close: Number(bar.close),
    })));
    this.#total.setData(lines.map(({ time, cvd }) => ({ time, value: cvd })));
    const names = Object.keys(lines.at(-1)?.bands ?? {});
    names.forEach((name, index) => this.#band(name, index).setData(
      lines.filter(({ bands }) => name in bands).map(({ time, bands }) => ({ time, value: bands[name] })),
    ));
    if (!this.#fitted && lines.length) {
      this.#chart.timeScale().fitContent();
      this.#fitted = true;
    }
  }

  #band(name, index) {
    if (!this.#bands.has(name)) {
      const options = { color: BAND_COLOURS[index], lineWidth: 1, title: name, priceFormat: { type: "volume" } };
      this.#bands.set(name, this.#chart.addSeries(LineSeries, options, 2));
    }
    return this.#bands.get(name);
  }
}
