import { showToast } from "./toast.js";

/** A form that is saved as soon as something in it is changed, one change after another; each can be taken back. */
export class AtOnce {
  #form;
  #toasts;
  #kept;
  #last = Promise.resolve();

  constructor(form, toasts) {
    [this.#form, this.#toasts, this.#kept] = [form, toasts, valuesOf(form)];
    form.addEventListener("change", () => this.#save());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  #save(isUndo = false) {
    const wanted = valuesOf(this.#form);
    this.#last = this.#last.then(() => this.#send(wanted, isUndo));
  }

  async #send(wanted, isUndo) {
    const before = this.#kept;
    if (sameAs(wanted, before)) return this.#refuse("");
    const body = new FormData();
    for (const [name, value] of wanted) body.append(name, value);
    try {
      const answer = await fetch(location.pathname, {
        method: "POST",
        body,
        headers: { "X-Part": "at-once" },
      });
      if (answer.status === 422) {
        const { errors } = await answer.json();
        return this.#refuse(Object.values(errors).flat().join(" "));
      }
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    } catch {
      return this.#refuse(this.#form.dataset.failed);
    }
    this.#kept = wanted;
    this.#refuse("");
    const onPress = () => {
      setValues(this.#form, before);
      this.#save(true);
    };
    if (!isUndo)
      showToast(this.#toasts, this.#form.dataset.saved, {
        label: this.#form.dataset.undo,
        onPress,
      });
  }

  #refuse(text) {
    const place = this.#form.querySelector("[data-refusal]");
    place.textContent = text;
    place.hidden = !text;
  }
}

const valuesOf = (form) => [...new FormData(form)];

const sameAs = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function setValues(form, values) {
  const byName = new Map(values);
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden") continue;
    if (field.type === "checkbox") field.checked = byName.has(field.name);
    else if (byName.has(field.name)) field.value = byName.get(field.name);
  }
}
