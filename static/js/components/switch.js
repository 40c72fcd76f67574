/** A group of buttons of which one is pressed; `onChange` hears its value. Remembered per name. */
export function bindSwitch(group, onChange) {
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
  const known = localStorage.getItem(key);
  press(buttons.some(({ value }) => value === known) ? known : buttons[0].value);
}
