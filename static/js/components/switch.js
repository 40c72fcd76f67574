/**
 * A group of buttons of which one is pressed; `onChange` hears its value. Remembered per name; `wish` is
 * pressed at first where there is such a button, then what is remembered, [data-first], the first one.
 */
export function bindSwitch(group, onChange, wish) {
  const key = `tapelog.${group.dataset.switch}`;
  const buttons = [...group.querySelectorAll("button")];
  const press = (value) => {
    for (const button of buttons) button.setAttribute("aria-pressed", button.value === value);
    localStorage.setItem(key, value);
    onChange(value);
  };
  group.addEventListener("click", ({ target }) => {
    if (buttons.includes(target)) press(target.value);
  });
  const values = buttons.map(({ value }) => value);
  const first = group.querySelector("[data-first]")?.value ?? values[0];
  press([wish, localStorage.getItem(key)].find((value) => values.includes(value)) ?? first);
}
