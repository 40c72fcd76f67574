// Loaded before the page is drawn, so that what was chosen does not flash. Other words are no choice.
(() => {
  const choices = { theme: ["light", "dark"], palette: ["blue", "red"], keys: ["off"] };
  for (const [name, known] of Object.entries(choices)) {
    const chosen = localStorage.getItem(`tapelog.${name}`);
    if (known.includes(chosen)) document.documentElement.dataset[name] = chosen;
  }
})();
