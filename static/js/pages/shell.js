/** What every page has: the choice of its looks, menus, search and keys, and forms that are sent as soon as something is chosen. */
import { AlertBell } from "../components/alert-bell.js";
import { Commands } from "../components/commands.js";
import { FillToast } from "../components/fill-toast.js";
import { bindFilters } from "../components/filters.js";
import { bindToasts } from "../components/toast.js";
import { onKey } from "../lib/keys.js";
import { listen } from "../lib/live.js";
import { offerZone, ownZone } from "../lib/zone.js";

const root = document.documentElement;

/** Theme, palette and keys: chosen here, kept in this browser; the first option is no choice. */
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
  for (const menu of document.querySelectorAll("details:is(.menu-of, .more)[open]"))
    if (!menu.contains(target)) menu.open = false;
});

for (const choice of document.querySelectorAll("[data-send-on-change]")) {
  choice.addEventListener("change", () => choice.form.submit());
}

for (const link of document.querySelectorAll(".rail a")) {
  const path = new URL(link.href).pathname;
  if (path === "/" ? location.pathname === "/" : location.pathname.startsWith(path))
    link.setAttribute("aria-current", "page");
}

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && !document.querySelector("dialog[open]"))
    for (const menu of document.querySelectorAll("details:is(.menu-of, .more)[open]"))
      menu.open = false;
});

const commands = document.querySelector("[data-commands]");
if (commands) new Commands(commands);

const keys = document.querySelector("[data-keys-list]");
const listKeys = () => document.querySelector("dialog[open]") ?? keys?.showModal();
document.querySelector("[data-open-keys]")?.addEventListener("click", listKeys);

/** G then a letter goes to a page; U changes the unit, H hides amounts, F filters, N goes to what is to be reviewed, ? lists the keys. */
let isGoing = false;
onKey((event) => {
  const wasGoing = isGoing;
  isGoing = event.key === "g";
  if (wasGoing) {
    document.querySelector(`.rail a[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  const units = [...document.querySelectorAll("[name=unit]")];
  if (event.key === "u" && units.length)
    units[
      (units.findIndex((unit) => unit.getAttribute("aria-pressed")) + 1) % units.length
    ].click();
  if (event.key === "h") document.querySelector("[name=hide]")?.click();
  if (event.key === "f") filter(event);
  if (event.key === "n") document.querySelector(".rail [data-review]")?.click();
  if (event.key === "?") listKeys();
});

/** Where filters are a sheet it opens, then the first of them is chosen. */
function filter(event) {
  const first = document.querySelector("#filters select");
  if (!first) return;
  event.preventDefault();
  if (!first.offsetParent) location.hash = "filters";
  first.focus();
}

bindToasts(document.querySelector("[data-toasts]"));

const template = document.querySelector("[data-fill-toast]");
if (template) {
  const toast = new FillToast(document.querySelector("[data-toasts]"), template);
  listen("account", (message) => message.data && toast.hear(message.data));
}

/** The zone is the browser's until its owner chooses one. */
for (const field of document.querySelectorAll("[data-own-zone]")) field.value = ownZone();
if (document.body.dataset.zone)
  offerZone(document.body.dataset.zone).then((isOther) => isOther && location.reload());

for (const form of document.querySelectorAll("[data-filters]")) bindFilters(form);

/** A form that takes a moment says so, and is not sent twice. */
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.isSent) event.preventDefault();
    form.dataset.isSent = "yes";
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    if (button) button.textContent = form.dataset.once;
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
  });
}

navigator.serviceWorker?.register("/sw.js");

const bell = document.querySelector("[data-alert-bell]");
if (bell) new AlertBell(bell, document.querySelector("[data-toasts]"));
