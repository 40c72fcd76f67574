const TYPING = "textarea, select, input:not([type=checkbox], [type=radio], [type=range])";

/** Single keys as the list under `?` names them: none while typing, beside an open dialog, with Ctrl or Alt, or when they are turned off. */
export function onKey(handle) {
  document.addEventListener("keydown", (event) => {
    const isMeant =
      !event.ctrlKey &&
      !event.metaKey &&
      !event.altKey &&
      document.documentElement.dataset.keys !== "off";
    if (isMeant && !event.target.closest(TYPING) && !document.querySelector("dialog[open]"))
      handle(event);
  });
}
