/** What all charts look like: colours by the page's tokens (the library knows no CSS variables), times in the reader's zone. */
import { clockText, dayText, momentText, monthText, yearText } from "../lib/clock.js";

export const token = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Paints now, and again whenever the theme, the palette or the system's wish changes. */
export function onLook(paint) {
  paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  new MutationObserver(paint).observe(document.documentElement, {
    attributeFilter: ["data-theme", "data-palette"],
  });
}

/** Options of a chart that do not change; `step()` tells how long its bars are (s). */
export function chartOptions(step) {
  const isPhone = matchMedia("(max-width: 760px)").matches;
  return {
    autoSize: true,
    // its inline style breaks the CSP; the page credits in text
    layout: { attributionLogo: false },
    rightPriceScale: { minimumWidth: isPhone ? 62 : 74 },
    timeScale: {
      timeVisible: true,
      secondsVisible: false,
      rightOffset: 3,
      minBarSpacing: 0.4,
      tickMarkFormatter: (time, kind) => tickText(time, kind, step()),
    },
    localization: {
      locale: document.documentElement.lang,
      timeFormatter: (time) => momentText(time, step()),
    },
  };
}

/** Kinds of ticks: 0 year, 1 month, 2 day, 3 minute; one between two minutes has its seconds. */
export function tickText(time, kind, step) {
  if (step >= 86_400) return [yearText, monthText, dayText][Math.min(kind, 2)](time);
  const clock = clockText(time, time % 60 !== 0);
  // a day of UTC may begin in the midst of the reader's
  return kind <= 2 && clock.startsWith("00:00") ? dayText(time) : clock;
}

export function paintChart(chart) {
  chart.applyOptions({
    layout: {
      background: { color: token("--surface") },
      textColor: token("--muted"),
      fontFamily: token("--font"),
      fontSize: 11,
      attributionLogo: false,
      panes: { separatorColor: token("--line"), separatorHoverColor: token("--outline") },
    },
    grid: {
      vertLines: { color: token("--grid") },
      horzLines: { color: token("--grid") },
    },
    rightPriceScale: { borderColor: token("--line") },
    timeScale: { borderColor: token("--line") },
    crosshair: {
      vertLine: { color: token("--muted"), labelBackgroundColor: token("--control") },
      horzLine: { color: token("--muted"), labelBackgroundColor: token("--control") },
    },
  });
}

/** Hollow up, filled down: readable in grey. */
export function candleLook() {
  const [up, down] = [token("--up"), token("--down")];
  return {
    upColor: token("--surface"),
    borderUpColor: up,
    wickUpColor: up,
    downColor: down,
    borderDownColor: down,
    wickDownColor: down,
  };
}
