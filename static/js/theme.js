// Loaded before the page is drawn, so that a remembered theme does not flash. "system" is no theme.
(() => {
  const known = localStorage.getItem("tapelog.theme");
  if (known === "light" || known === "dark") document.documentElement.dataset.theme = known;
})();
