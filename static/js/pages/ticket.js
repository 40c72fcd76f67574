import { OpenOrders } from "../components/open-orders.js";
import { Ticket } from "../components/ticket.js";
import { Live } from "../lib/live.js";

const form = document.querySelector("[data-ticket]");
if (form) {
  const open = new OpenOrders(form);
  const refresh = () => open.refresh(form.elements.account.value);
  const ticket = new Ticket(form, refresh);
  form.elements.account.addEventListener("change", refresh);
  refresh();
  let timer;
  new Live({
    topics: ["intents", "account"],
    onState: () => {},
    onMessage: () => {
      clearTimeout(timer);
      timer = setTimeout(refresh, 200);
    },
  });
  // a price that is chosen on the chart or in the book
  document.addEventListener("tapelog:price", (event) =>
    ticket.set(event.detail.field ?? "price", event.detail.price),
  );
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey) return;
    const side = { B: "BUY", S: "SELL" }[event.key]; // with shift: plain letters are the shell's
    if (!side) return;
    form.querySelector(`[name=side][value=${side}]`).click();
    form.elements.price.focus();
  });
}
