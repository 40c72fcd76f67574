/** What every page has: the choice of its looks, menus, and forms that are sent as soon as something is chosen. */
import { bindToasts } from "../components/toast.js";

const root = document.documentElement;

/** Theme and palette: chosen here, kept in this browser; the first option is no choice. */
for (const choice of document.querySelectorAll("[data-appearance]")) {
  const name = choice.dataset.appearance;
  choice.value = root.dataset[name] ?? choice.options[0].value;
  choice.addEventListener("change", () => {
    localStorage.setItem(`tapelog.${name}`, choice.value);
    if (choice.selectedIndex === 0) delete root.dataset[name];
    else root.dataset[name] = choice.value;
  });
}

/** A menu closes when something else is pressed, or Escape. */
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("details.menu-of[open]")) if (!menu.contains(target)) menu.open = false;
});

for (const choice of document.querySelectorAll("[data-send-on-change]")) {
  choice.addEventListener("change", () => choice.form.submit());
}

for (const link of document.querySelectorAll(".rail a")) {
  const path = new URL(link.href).pathname;
  if (path === "/" ? location.pathname === "/" : location.pathname.startsWith(path)) link.setAttribute("aria-current", "page");
}

/** G then a letter goes to a page; U changes the unit, H hides amounts. None fires while typing. */
let isGoing = false;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu-of[open]")) menu.open = false;
  if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const wasGoing = isGoing;
  isGoing = event.key === "g";
  if (wasGoing) {
    document.querySelector(`.rail a[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  const units = [...document.querySelectorAll("[name=unit]")];
  if (event.key === "u" && units.length) units[(units.findIndex((unit) => unit.getAttribute("aria-pressed")) + 1) % units.length].click();
  if (event.key === "h") document.querySelector("[name=hide]")?.click();
});

bindToasts(document.querySelector("[data-toasts]"));
