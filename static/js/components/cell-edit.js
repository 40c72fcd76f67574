import { send } from "../lib/api.js";

/**
 * Setup, tags and first stop of a row, written in the list itself: a press on a cell's pencil makes it a
 * field; leaving it or Enter keeps it, Escape leaves it as it was. `onSaved(row)` shows the row anew.
 */
export function bindCells(table, { setups, onSaved }) {
  table.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-edit]");
    if (button) open(button, setups, onSaved);
  });
}

function open(button, setups, onSaved) {
  const cell = button.closest("td");
  const row = cell.closest("[data-trade-row]");
  const { edit: name, value } = button.dataset;
  const before = [...cell.childNodes];
  const field = name === "setup" ? choiceOf(setups, value) : lineOf(value);
  field.className = "cell-field";
  field.setAttribute("aria-label", button.getAttribute("aria-label"));
  let isDone = false;

  const restore = () => {
    isDone = true;
    cell.replaceChildren(...before);
  };
  const keep = async ({ goesBack = false } = {}) => {
    if (isDone) return;
    if (field.value.trim() === value) {
      restore();
      if (goesBack) button.focus();
      return;
    }
    isDone = true;
    try {
      await send("PATCH", `/api/trades/${row.dataset.tradeRow}`, { [name]: wishOf(name, field) });
      await onSaved(row);
      if (goesBack) cell.querySelector("[data-edit]")?.focus();
    } catch (error) {
      isDone = false;
      field.setAttribute("aria-invalid", "true");
      field.title = error.message;
    }
  };

  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // letters are no commands here
    if (event.key === "Enter") {
      event.preventDefault(); // the rows stand in a form of their own
      keep({ goesBack: true });
    }
    if (event.key !== "Escape") return;
    restore();
    button.focus();
  });
  field.addEventListener("blur", () => keep());
  cell.replaceChildren(field);
  field.focus();
}

function choiceOf(setups, value) {
  const field = document.createElement("select");
  field.append(
    ...["", ...setups].map((name) => new Option(name || "–", name, false, name === value)),
  );
  return field;
}

function lineOf(value) {
  return Object.assign(document.createElement("input"), { value });
}

function wishOf(name, { value }) {
  if (name !== "tags") return value;
  const words = value.split(",").map((word) => word.trim());
  return words.filter(Boolean);
}
