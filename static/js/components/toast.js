/** Messages of the server as toasts: they stay while they are read, then go; a button sends them away. */
const SECONDS = 8;

export function bindToasts(root) {
  for (const toast of root.querySelectorAll("[data-toast]")) bind(root, toast);
}

/** A message of this page, with a button that takes back what it tells of. */
export function showToast(root, text, { label, onPress }) {
  const toast = Object.assign(document.createElement("div"), {
    className: "notice",
    role: "status",
  });
  const button = Object.assign(document.createElement("button"), {
    type: "button",
    className: "quiet",
    textContent: label,
  });
  button.addEventListener("click", () => {
    toast.remove();
    onPress();
  });
  toast.append(text, " ", button);
  root.append(toast);
  bind(root, toast);
}

function bind(root, toast) {
  const close = document.createElement("button");
  close.className = "quiet";
  close.textContent = "×";
  close.setAttribute("aria-label", root.dataset.close);
  close.addEventListener("click", () => toast.remove());
  toast.append(close);
  let left = SECONDS;
  const timer = setInterval(() => {
    if (toast.matches(":hover, :focus-within")) return;
    left -= 1;
    if (left <= 0 && !toast.matches(".notice-error")) toast.remove();
    if (!toast.isConnected) clearInterval(timer);
  }, 1_000);
}
