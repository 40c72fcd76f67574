/** The list of trades: endless, with a bar for several, a sheet beside it and a picture under the pointer; keys J, K, X, Space. */
import { bindCells } from "../components/cell-edit.js";
import { bindEndless } from "../components/endless.js";
import { bindPreview } from "../components/trade-preview.js";
import { TradeSheet } from "../components/trade-sheet.js";
import { toneOf } from "../lib/format.js";
import { onKey } from "../lib/keys.js";
import { listen } from "../lib/live.js";
import { isHidden, resultText } from "../lib/result-unit.js";

const HIDDEN = "tapelog.hidden-columns";
const columns = document.querySelector("[data-columns]");
const table = document.querySelector("[data-table]");
const form = document.querySelector("[data-bulk]");

const showColumns = () => {
  for (const { value, checked } of columns?.querySelectorAll("input") ?? []) {
    for (const cell of table.getElementsByClassName(`col-${value}`)) cell.hidden = !checked;
  }
};

if (columns && table) {
  const boxes = [...columns.querySelectorAll("input")];
  const known = localStorage.getItem(HIDDEN)?.split(",");
  if (known) for (const box of boxes) box.checked = !known.includes(box.value);
  columns.addEventListener("change", () => {
    const hidden = boxes.filter(({ checked }) => !checked);
    localStorage.setItem(HIDDEN, hidden.map(({ value }) => value).join());
    showColumns();
  });
  if (known) showColumns();
  else hideEmpty();
}

/** A column without a value in any row only takes room. */
function hideEmpty() {
  for (const box of columns.querySelectorAll("input:checked")) {
    const cells = [...table.querySelectorAll(`td.col-${box.value}`)];
    const isEmpty = cells.every(
      (cell) => ["", "–"].includes(cell.textContent.trim()) && !cell.querySelector("svg"),
    );
    if (isEmpty)
      for (const cell of table.getElementsByClassName(`col-${box.value}`)) cell.hidden = true;
  }
}

if (form) {
  const bar = form.querySelector("[data-bulk-bar]");
  const all = form.querySelector("[data-all]");
  const boxes = () => [...form.querySelectorAll("input[name=id]")];
  let at = -1;
  const show = () => {
    const count = boxes().filter((box) => box.checked).length;
    bar.hidden = count === 0;
    form.querySelector("[data-bulk-count]").textContent = count;
    [all.checked, all.indeterminate] = [
      count > 0 && count === boxes().length,
      count > 0 && count < boxes().length,
    ];
  };
  const choose = (isChosen) => {
    for (const box of boxes()) box.checked = isChosen;
    show();
  };
  all.addEventListener("change", () => choose(all.checked));
  form.querySelector("[data-bulk-close]").addEventListener("click", () => choose(false));
  form.addEventListener("change", show);
  show();

  const sheet = new TradeSheet(document.querySelector("[data-trade-sheet]"), refreshRow);
  const pager = document.querySelector("[data-pager]");
  if (pager)
    bindEndless(pager, table, () => (localStorage.getItem(HIDDEN) ? showColumns() : undefined));
  const setups = [...form.querySelectorAll("[data-bulk-bar] select[name=setup] option")];
  bindCells(table, { setups: setups.map(({ value }) => value), onSaved: refreshRow });
  bindPreview(table, document.querySelector("[data-trade-preview]"));
  // a press beside the links and boxes of a row opens the sheet
  table.addEventListener("click", ({ target }) => {
    const row = target.closest("[data-trade-row]");
    if (
      row &&
      !target.closest("a, input, button, select") &&
      matchMedia("(min-width: 761px)").matches
    )
      sheet.open(row);
  });

  onKey((event) => {
    const rows = boxes();
    if (event.key === "j" || event.key === "k") {
      at = Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)));
      rows[at].focus();
      if (sheet.isOpen) sheet.open(rows[at].closest("tr"));
    }
    if (event.key === "x" && at >= 0) rows[at].click();
    if (event.key === "ArrowRight" && at >= 0) sheet.open(rows[at].closest("tr"));
    if (event.key === "Enter" && at >= 0) rows[at].closest("tr").querySelector("a").click();
    if (event.key === "Escape" && !sheet.isOpen) choose(false);
  });
}

/** The row as the server shows it now, in its place. */
async function refreshRow(row) {
  const answer = await fetch(row.dataset.page ?? location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector(`[data-trade-row="${row.dataset.tradeRow}"]`);
  if (!next) return;
  for (const name of ["col-setup", "col-tags", "col-review", "col-r"]) {
    const [ours, theirs] = [row, next].map((part) => part.querySelector(`.${name}`));
    if (ours && theirs) ours.replaceChildren(...document.importNode(theirs, true).childNodes);
  }
}

/** What open trades would bring, as it moves. */
listen("pnl", ({ data }) => {
  for (const { trade, trade_unrealized_money: result } of data?.positions ?? []) {
    const cell = trade && result !== null && document.querySelector(`[data-open-trade="${trade}"]`);
    if (!cell || isHidden(cell.dataset)) continue;
    const shown = resultText(result, { currency: table.dataset.currency, ...cell.dataset });
    if (shown === null) continue;
    cell.replaceChildren(
      Object.assign(document.createElement("span"), {
        className: `amount ${toneOf(shown)}`,
        textContent: shown,
      }),
    );
  }
});
