/** What every page has: the theme's switch, and forms that are sent as soon as something is chosen. */
import { bindToasts } from "../components/toast.js";

const root = document.documentElement;
const theme = document.querySelector("[data-theme-switch]");

theme.value = localStorage.getItem("tapelog.theme") ?? "system";
theme.addEventListener("change", () => {
  localStorage.setItem("tapelog.theme", theme.value);
  if (theme.value === "system") delete root.dataset.theme;
  else root.dataset.theme = theme.value;
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
