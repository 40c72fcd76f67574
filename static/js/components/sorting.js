/** A press on a head sorts the rows by that column, another one the other way round. Numbers are told by `data-value`, and so is the order of names whose words are not in it. */
export function bindSorting(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, at) => {
    if (!head.textContent.trim()) return;
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "sort",
    });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, heads, at));
  });
}

function sort(table, heads, at) {
  const isUp = heads[at].getAttribute("aria-sort") === "descending";
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[at].setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((a, b) => compare(keyOf(a.cells[at]), keyOf(b.cells[at])));
  body.append(...(isUp ? rows : rows.reverse()));
}

function keyOf(cell) {
  const told = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(told.replaceAll(",", ""));
  return Number.isNaN(number) ? told : number;
}

/** Words after numbers: what has no value is at the end of a falling order's other side. */
function compare(a, b) {
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
  return typeof a === "number" ? 1 : -1;
}
