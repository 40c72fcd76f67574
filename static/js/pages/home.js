/** Everything on the page that moves: open positions with their prices, and each part anew after something of one's own has happened. */
import { LiveParts } from "../components/live-parts.js";
import { Positions } from "../components/positions.js";
import { listen } from "../lib/live.js";

let positions = new Positions(document);
const parts = new LiveParts(() => {
  positions = new Positions(document);
});

listen("account", (message) => {
  if (message.resync || message.data.kind !== "balance") parts.stir();
});
listen(
  "pnl",
  (message) => {
    if (message.resync) positions.read();
    else if (!positions.draw(message.data)) parts.stir();
  },
  (state) =>
    document.querySelector("[data-positions]")?.classList.toggle("is-stale", state !== "live"),
);
