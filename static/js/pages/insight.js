/** The insight: tables sort, and a part that is being computed turns by itself. */
import { bindPartRefresh } from "../components/part-refresh.js";
import { bindSorting } from "../components/sorting.js";

function bindTables(root) {
  for (const table of root.querySelectorAll("[data-sortable]")) bindSorting(table);
}

bindTables(document);
for (const part of document.querySelectorAll("[data-insight]")) bindPartRefresh(part, bindTables);
