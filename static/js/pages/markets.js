/** Watch-lists: their figures every few seconds, prices as they come; adding, ordering, removing. */
import { sparkline } from "../components/sparkline.js";
import { bindSwitch } from "../components/switch.js";
import { address, changeText, key, tone } from "../components/watch-rows.js";
import { compact } from "../lib/amounts.js";
import { read, send } from "../lib/api.js";
import { money, price } from "../lib/format.js";
import { Live } from "../lib/live.js";
import { COLUMNS, filtered, heatClass, hourOf, sorted, withGaps } from "../lib/screening.js";

const EVERY_MS = 5_000;
const TYPING_MS = 250;
const MOST_LIVE = 45;
const root = document.querySelector("[data-watchlists]");
const find = (name) => root.querySelector(`[data-${name}]`);
let lists = [];
// the shown list, undefined for everything that is followed
let current;
let shown = new Map();
let timer;
let queue;
let typing;
let live;
let heard = "";
let known = [];
const HEATS = ["1m", "5m", "1h", "gap"];
const screen = { word: "", market: "all", flow: "all", sort: "" };

async function refresh() {
  clearTimeout(timer);
  const asked = current;
  if (!document.hidden) {
    try {
      const { rows, markets } = await read(
        asked ? `/api/watchlists/${asked.id}` : "/api/markets",
        {},
      );
      if (asked && !queue) asked.markets = markets; // another window may have changed it
      if (asked === current && !queue) draw(rows);
      find("table").classList.remove("is-stale");
    } catch {
      find("table").classList.add("is-stale");
    }
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, EVERY_MS);
}

/** The rows that were read last, as they are chosen and sorted now. */
function draw(rows = known) {
  known = rows;
  const focus = document.activeElement?.dataset?.act;
  const focused = document.activeElement?.closest("tr")?.dataset.key;
  const chosen = sorted(filtered(withGaps(rows), screen), screen.sort);
  const largest = Object.fromEntries(
    HEATS.map((name) => [
      name,
      Math.max(0, ...chosen.map((row) => Math.abs(COLUMNS[name](row) ?? 0))),
    ]),
  );
  shown = new Map();
  find("rows").replaceChildren(
    ...chosen.map((row) =>
      line(row, rows.indexOf(rows.find((r) => key(r) === key(row))), rows.length, largest),
    ),
  );
  if (!chosen.length)
    Object.assign(find("rows").insertRow().insertCell(), {
      colSpan: 9,
      textContent: rows.length ? root.dataset.noneMatch : root.dataset.empty,
      className: "hint",
    });
  find("shown").textContent =
    chosen.length === rows.length ? "" : `${chosen.length} ${root.dataset.of} ${rows.length}`;
  if (focus)
    find("rows")
      .querySelector(`tr[data-key="${CSS.escape(focused)}"] [data-act=${focus}]`)
      ?.focus();
  listen(rows);
}

function line(row, index, count, largest) {
  const element = document.createElement("tr");
  element.dataset.key = key(row);
  const link = Object.assign(document.createElement("a"), {
    href: address(row),
    textContent: row.symbol,
  });
  if (row.market === "usdm") link.append(" ", tag("USD-M"));
  element.insertCell().append(link);
  const cells = {
    price: number(element, row.price === null ? "–" : price(row.price)),
    change: number(element, changeText(row), tone(row.change_pct)),
  };
  for (const name of HEATS) heat(element, row, name, largest[name]);
  Object.assign(element.insertCell(), { className: "wide-only" }).append(sparkline(row.cvd));
  const tools = Object.assign(element.insertCell(), { className: "number row-tools" });
  if (current && !screen.sort) {
    tools.append(
      tool("up", "↑", index === 0, () => move(row, -1)),
      tool("down", "↓", index === count - 1, () => move(row, 1)),
      tool("remove", "×", false, () => drop(row)),
    );
  }
  shown.set(key(row), cells);
  return element;
}

/** A figure on a ground of its strength; an hour that is not wholly known says how much of it is. */
function heat(element, row, name, largest) {
  const value = COLUMNS[name](row);
  const cell = number(element, value === null ? "–" : compact(value), heatClass(value, largest));
  if (name === "1m" || name === "gap") cell.classList.add("wide-only");
  cell.title = value === null ? root.dataset.unknown : money(value);
  const { minutes } = hourOf(row);
  if (name === "1h" && value !== null && minutes < 60)
    cell.append(Object.assign(document.createElement("small"), { textContent: ` ${minutes} m` }));
}

function number(row, text, className = "") {
  return Object.assign(row.insertCell(), { textContent: text, className: `number ${className}` });
}

function tag(text) {
  return Object.assign(document.createElement("span"), { className: "tag", textContent: text });
}

function tool(act, text, isOff, onClick) {
  const button = Object.assign(document.createElement("button"), {
    type: "button",
    className: "quiet",
    textContent: text,
    disabled: isOff,
    title: root.dataset[act],
  });
  button.setAttribute("aria-label", root.dataset[act]);
  button.dataset.act = act;
  button.addEventListener("click", onClick);
  return button;
}

/** Prices and 24 h changes between two readings. */
function listen(rows) {
  const topics = rows.slice(0, MOST_LIVE).map(({ market, symbol }) => `ticker:${market}:${symbol}`);
  if (topics.join() === heard) return;
  heard = topics.join();
  live?.close();
  live =
    topics.length &&
    new Live({
      topics,
      onMessage: ({ topic, data }) => {
        const cells = data && shown.get(topic.slice("ticker:".length));
        if (!cells) return;
        cells.price.textContent = price(data.last);
        cells.change.textContent = changeText(data);
        cells.change.className = `number ${tone(data.change_pct)}`;
      },
      onState: (state) => root.classList.toggle("is-stale", state !== "live"),
    });
}

// --- what is chosen and how it is sorted ----------------------------------------------------------

function sortBy(name) {
  screen.sort = screen.sort === `-${name}` ? name : screen.sort === name ? "" : `-${name}`;
  for (const button of root.querySelectorAll("[data-sort]")) {
    const isChosen = screen.sort.replace("-", "") === button.dataset.sort;
    const way = screen.sort.startsWith("-") ? "descending" : "ascending";
    button.closest("th").setAttribute("aria-sort", isChosen ? way : "none");
  }
  find("unsort").hidden = !screen.sort;
  draw();
}

for (const button of root.querySelectorAll("[data-sort]"))
  button.addEventListener("click", () => sortBy(button.dataset.sort));
find("unsort").addEventListener("click", () => {
  screen.sort = screen.sort.replace("-", "");
  sortBy(screen.sort);
});
find("word").addEventListener("input", ({ target }) => {
  screen.word = target.value;
  draw();
});
for (const name of ["market", "flow"]) {
  bindSwitch(root.querySelector(`[data-switch=screen-${name}]`), (value) => {
    screen[name] = value;
    if (known.length) draw();
  });
}

// --- changing lists -----------------------------------------------------------------------------

function tabs() {
  find("tabs").replaceChildren(
    ...[...lists, undefined].map((list) => {
      const button = Object.assign(document.createElement("button"), {
        type: "button",
        textContent: list?.name ?? root.dataset.all,
      });
      button.setAttribute("aria-pressed", list?.id === current?.id);
      button.addEventListener("click", () => show(list));
      return button;
    }),
  );
  find("tools").hidden = !current;
}

function show(list) {
  current = list;
  localStorage.setItem("tapelog.watchlist", list?.id ?? "");
  find("found").hidden = true;
  tabs();
  refresh();
}

async function tried(work) {
  find("problem").hidden = true;
  try {
    return await work();
  } catch (error) {
    find("problem").textContent = error.message || root.dataset.failed;
    find("problem").hidden = false;
    return undefined;
  }
}

/** Changes of a list one after the other, each on what the one before it left. */
function keep(change) {
  const list = current;
  const work = (queue ?? Promise.resolve()).then(async () => {
    const kept = await tried(() =>
      send("PATCH", `/api/watchlists/${list.id}`, { markets: change(list.markets) }),
    );
    if (kept) list.markets = kept.markets;
  });
  queue = work;
  work.finally(() => {
    if (queue !== work) return;
    queue = undefined;
    refresh();
  });
}

function move(row, by) {
  keep((known) => {
    const markets = [...known];
    const at = markets.findIndex((item) => key(item) === key(row));
    if (at >= 0) markets.splice(Math.max(0, at + by), 0, ...markets.splice(at, 1));
    return markets;
  });
}

function drop(row) {
  keep((known) => known.filter((item) => key(item) !== key(row)));
}

function add(row) {
  find("found").hidden = true;
  find("search").reset();
  keep((known) =>
    known.some((item) => key(item) === key(row))
      ? known
      : [...known, { market: row.market, symbol: row.symbol }],
  );
}

async function search(word) {
  if (!word) {
    find("found").hidden = true;
    return;
  }
  const answer = await tried(() => read("/api/instruments", { search: word }));
  if (!answer || find("search").search.value.trim() !== word) return;
  const rows = answer.rows.filter(({ status }) => status !== "DELISTED").slice(0, 30);
  find("found").replaceChildren(
    ...rows.map((row) => {
      const button = Object.assign(document.createElement("button"), {
        type: "button",
        className: "quiet",
      });
      button.append(
        row.symbol,
        " ",
        tag(row.market === "usdm" ? "USD-M" : "Spot"),
        ...(row.status === "TRADING" ? [] : [` ${row.status}`]),
      );
      button.addEventListener("click", () => add(row));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
  if (!rows.length)
    find("found").append(
      Object.assign(document.createElement("li"), {
        textContent: root.dataset.none,
        className: "hint",
      }),
    );
  find("found").hidden = false;
}

find("search").addEventListener("submit", (event) => {
  event.preventDefault();
  find("found").querySelector("button")?.click();
});
find("search").search.addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(() => search(target.value.trim()), TYPING_MS);
});
find("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const made = await tried(() => send("POST", "/api/watchlists", { name: find("new").name.value }));
  if (!made) return;
  find("new").reset();
  lists.push(made);
  show(made);
  find("search").search.focus();
});
find("rename").addEventListener("click", async () => {
  const name = window.prompt(find("rename").textContent, current.name);
  if (!name) return;
  const kept = await tried(() => send("PATCH", `/api/watchlists/${current.id}`, { name }));
  if (kept) current.name = kept.name;
  tabs();
});
find("delete").addEventListener("click", async () => {
  if (!window.confirm(root.dataset.sure)) return;
  const gone = current;
  if ((await tried(() => send("DELETE", `/api/watchlists/${gone.id}`))) === undefined) return;
  lists = lists.filter(({ id }) => id !== gone.id);
  show(lists[0]);
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());

async function begin() {
  try {
    lists = (await read("/api/watchlists", {})).rows;
  } catch {
    setTimeout(begin, EVERY_MS);
    return;
  }
  const known = localStorage.getItem("tapelog.watchlist");
  show(known === "" ? undefined : (lists.find(({ id }) => String(id) === known) ?? lists[0]));
}

begin();
