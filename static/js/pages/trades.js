/** The bar of what can be done with several trades, shown while some are chosen; keys J, K and X; columns. */
import { onKey } from "../lib/keys.js";

const HIDDEN = "tapelog.hidden-columns";
const columns = document.querySelector("[data-columns]");
const table = document.querySelector("[data-table]");
if (columns && table) {
  const boxes = [...columns.querySelectorAll("input")];
  const known = localStorage.getItem(HIDDEN)?.split(",");
  if (known) for (const box of boxes) box.checked = !known.includes(box.value);
  const show = () => {
    for (const { value, checked } of boxes) {
      for (const cell of table.getElementsByClassName(`col-${value}`)) cell.hidden = !checked;
    }
  };
  columns.addEventListener("change", () => {
    localStorage.setItem(
      HIDDEN,
      boxes
        .filter(({ checked }) => !checked)
        .map(({ value }) => value)
        .join(),
    );
    show();
  });
  show();
}

const form = document.querySelector("[data-bulk]");
if (form) {
  const bar = form.querySelector("[data-bulk-bar]");
  const boxes = [...form.querySelectorAll("input[name=id]")];
  const all = form.querySelector("[data-all]");
  let at = -1;
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    bar.hidden = count === 0;
    form.querySelector("[data-bulk-count]").textContent = count;
    [all.checked, all.indeterminate] = [count === boxes.length, count > 0 && count < boxes.length];
  };
  const choose = (isChosen) => {
    for (const box of boxes) box.checked = isChosen;
    show();
  };
  all.addEventListener("change", () => choose(all.checked));
  form.querySelector("[data-bulk-close]").addEventListener("click", () => choose(false));
  form.addEventListener("change", show);
  show();
  onKey((event) => {
    if (event.key === "j" || event.key === "k") {
      at = Math.max(0, Math.min(boxes.length - 1, at + (event.key === "j" ? 1 : -1)));
      boxes[at].focus();
    }
    if (event.key === "x" && at >= 0) boxes[at].click();
    if (event.key === "Enter" && at >= 0) boxes[at].closest("tr").querySelector("a").click();
    if (event.key === "Escape") choose(false);
  });
}
