import { drawBands } from "../components/band-table.js";
import { FlowChart } from "../components/flow-chart.js";
import { Bars } from "../lib/bars.js";
import { money } from "../lib/format.js";
import { Live } from "../lib/live.js";

const root = document.querySelector("[data-market]");
const { symbol, kind } = root.dataset;
const find = (name) => root.querySelector(`[data-${name}]`);
const chart = new FlowChart(find("chart"));
const bars = new Bars();
let unit = "trade";
let isDue = false;

function draw() {
  isDue = false;
  const lines = bars.lines(unit);
  chart.draw(lines);
  drawBands(find("bands"), lines.at(-1), unit);
  if (lines.length) find("price").textContent = money(lines.at(-1).bar.close, 2);
}

/** However fast frames come, at most one drawing a screen frame. */
function drawSoon() {
  if (!isDue) requestAnimationFrame(draw);
  isDue = true;
}

function say(state, seconds) {
  find("state").dataset.now = state;
  find("state").textContent = root.dataset[state] + (seconds ? ` ${seconds} s` : "");
}

async function load() {
  try {
    for (const each of ["trade", "order"]) {
      const answer = await fetch(`/api/cvd/realtime?symbol=${encodeURIComponent(symbol)}&market=${kind}&minutes=60&unit=${each}`);
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      bars.merge((await answer.json()).bars, each);
    }
    drawSoon();
  } catch {
    find("state").textContent = root.dataset.failed;
    setTimeout(load, 3_000);
  }
}

find("units").addEventListener("click", ({ target }) => {
  if (!target.dataset.unit) return;
  unit = target.dataset.unit;
  for (const button of find("units").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", button === target);
  }
  drawSoon();
});

let wasLive = false;
new Live({
  topics: [`flow:${kind}:${symbol}:1m`],
  onMessage: (message) => {
    if (message.resync) return load();
    bars.merge([message.data], unit);
    return drawSoon();
  },
  onState: (state, seconds) => {
    if (state === "live" && !wasLive) load();
    wasLive = state === "live";
    say(state, seconds);
  },
});
