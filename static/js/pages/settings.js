/** Settings are saved as they are changed. */
import { AtOnce } from "../components/at-once.js";

const toasts = document.querySelector("[data-toasts]");
for (const form of document.querySelectorAll("[data-at-once]")) new AtOnce(form, toasts);
