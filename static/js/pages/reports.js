/** Tables of reports sort by any of their heads; the dimensions' small bars come when they are there. */
import { bindPartRefresh } from "../components/part-refresh.js";
import { bindSorting } from "../components/sorting.js";

for (const table of document.querySelectorAll("[data-sortable]")) bindSorting(table);
for (const part of document.querySelectorAll("[data-dimensions]")) bindPartRefresh(part);
