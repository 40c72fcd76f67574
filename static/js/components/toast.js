/** Messages of the server as toasts: they stay while they are read, then go; a button sends them away. */
const SECONDS = 8;

export function bindToasts(root) {
  for (const toast of root.querySelectorAll("[data-toast]")) {
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
}
