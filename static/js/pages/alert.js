/** An alert's form: when it would have told something over what is stored. */
import { AlertPreview } from "../components/alert-preview.js";
import { previewAlert } from "../lib/alerts.js";

const form = document.querySelector("[data-alert-form]");
const answer = form.querySelector("[data-alert-preview-answer]");
const picture = new AlertPreview(form.querySelector("[data-alert-preview-picture]"));

form.querySelector("[data-alert-preview]").addEventListener("click", async ({ target }) => {
  target.disabled = true;
  try {
    const asked = body();
    const said = await previewAlert(asked);
    show(said);
    await draw(asked.condition, said);
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

/** The price of that time with a mark at each; without bars the words are enough. */
async function draw({ symbol, market }, { ok, answer: { start, end, events } }) {
  picture.hide();
  if (!ok || !symbol || !(end > start)) return;
  try {
    await picture.draw({ symbol, market, start, end, events });
  } catch {
    /* the words stand */
  }
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
