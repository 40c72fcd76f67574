/** An alert's form: when it would have told something over what is stored. */
import { previewAlert } from "../lib/alerts.js";

const form = document.querySelector("[data-alert-form]");
const answer = form.querySelector("[data-alert-preview-answer]");

form.querySelector("[data-alert-preview]").addEventListener("click", async ({ target }) => {
  target.disabled = true;
  try {
    show(await previewAlert(body()));
  } finally {
    target.disabled = false;
  }
});

function body() {
  const fields = [...new FormData(form)];
  const condition = { kind: form.dataset.alertForm };
  for (const [name, value] of fields)
    if (name.startsWith("c_") && value) condition[name.slice(2)] = value;
  return { name: "preview", condition, cooldown_s: Number(form.elements.cooldown_s.value) || 0 };
}

function show({ ok, answer: said }) {
  if (!ok) {
    answer.textContent = Object.values(said).flat().join(" ");
    return;
  }
  const since = new Date(said.start).toLocaleString(document.documentElement.lang);
  const last = said.events
    .slice(-3)
    .map(({ at, value }) => `${new Date(at).toLocaleString()}: ${value}`);
  answer.textContent = [`${said.count} ${answer.dataset.text} ${since}`, ...last].join(" · ");
}
