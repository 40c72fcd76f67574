const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [320, 140];
const REST_MS = 250;
const known = new Map();

/** A small picture of the trade whose row the pointer rests on: its price with entry and exit, and the CVD. */
export function bindPreview(table, box) {
  let timer;
  const hide = () => {
    clearTimeout(timer);
    box.hidden = true;
  };
  table.addEventListener("pointerover", ({ target, pointerType, clientY }) => {
    const row = target.closest("[data-trade-row]");
    hide();
    if (!row || pointerType !== "mouse" || !target.closest(".cell-symbol, .col-prices, .col-flow"))
      return;
    timer = setTimeout(() => show(row, box, clientY), REST_MS);
  });
  table.addEventListener("pointerleave", hide);
  addEventListener("scroll", hide, { passive: true });
}

async function show(row, box, y) {
  const id = row.dataset.tradeRow;
  if (!known.has(id)) known.set(id, read(id));
  const told = await known.get(id);
  if (!told || told.candles.length < 2) return;
  box.replaceChildren(picture(told));
  box.hidden = false;
  const top = y + 16 + HEIGHT + 20 > innerHeight ? y - HEIGHT - 36 : y + 16;
  box.style.setProperty("top", `${top}px`);
  box.style.setProperty(
    "left",
    `${Math.max(80, Math.min(innerWidth - WIDTH - 40, row.getBoundingClientRect().left + 240))}px`,
  );
}

async function read(id) {
  const answer = await fetch(`/trades/${id}/candles/`);
  return answer.ok ? answer.json() : null;
}

function picture({ candles, opened, closed, step }) {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
  const closes = candles.map((candle) => candle[4]);
  let sum = 0;
  const cvd = candles.map((candle) => {
    sum += candle[5] ?? 0;
    return sum;
  });
  const place = placeOf(candles);
  svg.append(
    ...lines(candles, cvd, step, place, "cvd-line"),
    ...lines(candles, closes, step, place, "price-line"),
  );
  for (const [moment, kind] of [
    [opened, "buy"],
    [closed, "sell"],
  ]) {
    const at = candles.findLastIndex(([second]) => second * 1000 <= moment);
    if (at < 0) continue;
    svg.append(
      element("circle", {
        class: kind,
        r: 4,
        cx: place(candles[at][0]),
        cy: y(closes[at], closes),
      }),
    );
  }
  return svg;
}

/** One line a run of candles: what is missing between them is not drawn. */
function lines(candles, values, step, place, kind) {
  const runs = [];
  candles.forEach(([second], at) => {
    const isNext = at > 0 && second - candles[at - 1][0] <= step;
    if (!isNext) runs.push([]);
    runs.at(-1).push(`${place(second).toFixed(1)},${y(values[at], values).toFixed(1)}`);
  });
  return runs.map((points) => element("polyline", { class: kind, points: points.join(" ") }));
}

function placeOf(candles) {
  const [first, last] = [candles[0][0], candles.at(-1)[0]];
  return (second) => ((second - first) / Math.max(1, last - first)) * WIDTH;
}

function y(value, values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return HEIGHT - 6 - ((value - low) / (high - low || 1)) * (HEIGHT - 12);
}

function element(name, attributes) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
