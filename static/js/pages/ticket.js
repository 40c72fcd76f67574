import { Brackets } from "../components/brackets.js";
import { OpenOrders } from "../components/open-orders.js";
import { OrderLines } from "../components/order-lines.js";
import { Ticket } from "../components/ticket.js";
import { Live } from "../lib/live.js";

const form = document.querySelector("[data-ticket]");
if (form) {
  const open = new OpenOrders(form);
  const refresh = () => open.refresh(form.elements.account.value).then(() => lines.draw());
  const ticket = new Ticket(form, refresh);
  const lines = new OrderLines(form, ticket, open);
  new Brackets(form, ticket);
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
    lines.set(event.detail.field ?? "price", event.detail.price),
  );
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey) return;
    const side = { B: "BUY", S: "SELL" }[event.key]; // with shift: plain letters are the shell's
    if (!side) return;
    form.querySelector(`[name=side][value=${side}]`).click();
    form.elements.price.focus();
  });
}
