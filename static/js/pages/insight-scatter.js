/** Any two measures: the trades in the part that was drawn over are listed below the picture. */
import { ScatterBrush } from "../components/scatter-brush.js";

const root = document.querySelector("[data-scatter]");
const lines = document.querySelector("[data-scatter-lines]");
const form = document.querySelector("[data-scatter-form]");

form?.addEventListener("change", () => form.requestSubmit());
if (root && lines) {
  new ScatterBrush(root, async (box) => {
    const address = new URL(location.href);
    for (const [edge, value] of Object.entries(box)) address.searchParams.set(edge, String(value));
    const answer = await fetch(address, { headers: { "X-Part": "lines" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    lines.replaceChildren(...page.body.childNodes);
    history.replaceState(null, "", address);
  });
}
