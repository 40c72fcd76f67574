import { ask, newKey } from "../lib/orders.js";

/** A second click acts: the first one asks. */
function confirmed(button, act) {
  button.addEventListener("click", async () => {
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      button.textContent += "?";
      return;
    }
    button.disabled = true;
    const { status, body } = await act();
    button.textContent = status < 300 ? "✓" : (body.detail ?? `HTTP ${status}`);
  });
}

const brake = document.querySelector("[data-brake]");
brake?.querySelector("[data-stop]").addEventListener("click", async (event) => {
  event.target.disabled = true;
  const flatten = brake.querySelector("[data-flatten]").checked;
  const { body } = await ask("POST", "/api/trading/stop", { account: "own", flatten });
  const failed = body.failed ?? [];
  if (!failed.length && !body.detail) return location.reload();
  brake.querySelector("[data-said]").textContent =
    body.detail ?? `${brake.dataset.failed} ${failed.map((row) => row.symbol ?? row.detail)}`;
  event.target.disabled = false;
});

for (const button of document.querySelectorAll("[data-cancel-intent]"))
  confirmed(button, () => ask("DELETE", `/api/orders/${button.dataset.cancelIntent}`));

for (const button of document.querySelectorAll("[data-protect]"))
  confirmed(button, () => ask("POST", `/api/orders/${button.dataset.protect}/protect`));

for (const button of document.querySelectorAll("[data-close-position]")) {
  const { account, symbol, amount, side } = button.dataset;
  const body = { account, symbol, amount, position_side: side };
  confirmed(button, () => ask("POST", "/api/trading/close", body, newKey()));
}
