/** One trade: its chart around entry and exit, stop and target to be dragged, the replay, and the keys J, K, E. */
import { barRows, ChartTable } from "../components/chart-table.js";
import { ChartTools } from "../components/chart-tools.js";
import { FlowView } from "../components/flow-view.js";
import { OpenResult } from "../components/open-result.js";
import { foldOrders } from "../components/order-folds.js";
import { PriceLevels } from "../components/price-levels.js";
import { Replay } from "../components/replay.js";
import { ReplayTape } from "../components/replay-tape.js";
import { TradeLevels } from "../components/trade-levels.js";
import { read } from "../lib/api.js";
import { onKey } from "../lib/keys.js";
import { coverage, INTERVALS, opening } from "../lib/spans.js";

const AROUND_S = 300;
const root = document.querySelector("[data-trade]");
const fills = JSON.parse(document.getElementById("markers").textContent);
const { symbol, market, address } = root.dataset;
const asText = new ChartTable(document.querySelector("[data-chart-table]"));
const buttons = [...root.querySelectorAll("[data-switch=interval] button")];
const asked = new URLSearchParams(location.search);
let facts;
let chosen;
let open;

const view = new FlowView(root, {
  ask: (query) => read("/api/cvd/range", { symbol, market, ...query }),
  words: {
    ...root.dataset,
    name: symbol,
    bands: root.querySelector("[data-chips]").dataset.title,
  },
  onDraw: (lines) => asText.draw(() => barRows(lines), view.chart.bands.names),
});
const levels = new PriceLevels(view.chart, (name, price) =>
  name.startsWith("level") ? tools.moved(name, price) : plan.moved(name, price),
);
const tools = new ChartTools(root, view, levels, `${market}:${symbol}`);
const plan = new TradeLevels(root, view.chart, levels);
const tape = new ReplayTape(document.querySelector("[data-tape]"), root.dataset);
const replay = new Replay(root, view, { fills, tape, levels, open: openForReplay });

const from = () => facts.opened / 1_000;
const to = () => facts.closed / 1_000;

/** The shortest interval of this page that shows so many seconds in one view. */
function intervalFor(seconds) {
  const known = buttons.map(({ value }) => value).filter((name) => INTERVALS[name] >= 60);
  const room = Math.max(120, root.clientWidth / 2.5);
  return known.find((name) => seconds / INTERVALS[name] <= room) ?? known.at(-1);
}

async function show(interval, centre) {
  chosen = interval;
  for (const button of buttons) button.setAttribute("aria-pressed", button.value === interval);
  view.options = {
    anchor: opening(from(), INTERVALS[interval]),
    anchorName: root.dataset.since,
    scaleName: root.dataset.scale,
  };
  await view.show(interval, "order", centre);
  open?.listen();
}

/** Entry, exit, or all of it with room on both sides. */
async function look(where) {
  for (const button of root.querySelectorAll("[data-around]")) {
    button.setAttribute("aria-pressed", button.dataset.around === where);
  }
  if (where === "whole") {
    const room = Math.max(1_800, (to() - from()) / 10);
    await show(intervalFor(to() - from() + 2 * room), (from() + to()) / 2);
    view.chart.fit(from() - room, Math.min(to() + room, Date.now() / 1_000));
    return;
  }
  const moment = where === "entry" ? from() : to();
  await show(seconds() ?? "1m", moment);
  if (!isKnown(moment - AROUND_S, moment + AROUND_S)) await show("1m", moment);
  const half = Math.max(AROUND_S, INTERVALS[chosen] * 40);
  view.chart.fit(moment - half, moment + half);
}

/** Five seconds where the page has them, else one. */
const seconds = () => ["5s", "1s"].find((name) => buttons.some(({ value }) => value === name));

/** Of futures some minutes before a fill are known second by second, and never those after it. */
const isKnown = (start, end) =>
  coverage(view.lines, INTERVALS[chosen], start, Math.min(end, Date.now() / 1_000)) > 0.8;

/** Second by second where seconds are known and the trade is not longer than the window holds. */
async function openForReplay() {
  const isShort = to() - from() < 5_000;
  if (isShort && buttons.some(({ value }) => value === "1s")) {
    await show("1s", from() + 120);
    if (isKnown(from() - 60, Math.min(to(), from() + AROUND_S))) return;
  }
  await show(intervalFor(to() - from() + 3_600), (from() + to()) / 2);
}

async function load() {
  facts = await read(address, {});
  view.chart.fills = fills;
  view.chart.held = { from: from(), to: to(), words: [root.dataset.held] };
  plan.draw();
  await look(asked.get("at") === "entry" || asked.get("at") === "exit" ? asked.get("at") : "whole");
  if (root.dataset.open) open = new OpenResult(root.dataset.id, view, root.dataset);
  replay.ready({ from: from(), to: to() });
  if (location.pathname.endsWith("/replay/")) replay.step(0);
}

for (const button of buttons) {
  button.addEventListener("click", () => facts && show(button.value, undefined));
}
for (const button of root.querySelectorAll("[data-around]")) {
  button.addEventListener("click", () => facts && look(button.dataset.around));
}
foldOrders(document.querySelector("[data-orders]"));
view.chart.fills = fills;
load().catch((error) => {
  root.classList.remove("is-loading");
  root.querySelector("[data-loading]").hidden = true;
  Object.assign(root.querySelector("[data-failed]"), { hidden: false, title: error.message });
});

const template = document.querySelector("[data-template]");
template?.addEventListener("change", () => {
  const text = document.querySelector("[data-note]");
  text.value += (text.value ? "\n\n" : "") + template.value;
  template.value = "";
});

const KEYS = { k: "[data-previous]", j: "[data-next]", e: "[data-reviewed]" };
onKey((event) => {
  document.querySelector(KEYS[event.key] ?? "#none")?.click();
  replay.key(event);
});
