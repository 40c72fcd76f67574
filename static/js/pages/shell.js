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

bindToasts(document.querySelector("[data-toasts]"));
