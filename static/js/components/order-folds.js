/** Fills of one order are folded under it; its button shows them. */
export function foldOrders(table) {
  for (const order of table?.querySelectorAll("[data-order]") ?? []) {
    const button = order.querySelector("[data-fold]");
    if (!button) continue;
    const fold = (isOpen) => {
      button.setAttribute("aria-expanded", isOpen);
      for (const row of order.querySelectorAll("[data-of-order]")) row.hidden = !isOpen;
    };
    button.addEventListener("click", () => fold(button.getAttribute("aria-expanded") !== "true"));
    fold(false);
  }
}
