/** Says so when no passkey comes; allauth's script tells it to the document. */
document.addEventListener("allauth.error", (event) => {
  const problem = document.querySelector("[data-passkey-problem]");
  if (problem === null) return;
  event.preventDefault();
  problem.hidden = false;
});
