/** Tables of reports sort by any of their heads. */
import { bindSorting } from "../components/sorting.js";

for (const table of document.querySelectorAll("[data-sortable]")) bindSorting(table);
