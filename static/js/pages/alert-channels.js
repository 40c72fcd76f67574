import { PushSwitch } from "../components/push-switch.js";

/** What this browser does when an alert tells something; kept in this browser. */
for (const wish of document.querySelectorAll("[data-alert-wish]")) {
  const name = `tapelog.alerts.${wish.dataset.alertWish}`;
  wish.checked = localStorage.getItem(name) === "on";
  wish.addEventListener("change", async () => {
    if (wish.checked && wish.dataset.alertWish === "notify") {
      wish.checked =
        "Notification" in window && (await Notification.requestPermission()) === "granted";
    }
    if (wish.checked) localStorage.setItem(name, "on");
    else localStorage.removeItem(name);
  });
}

const push = document.querySelector("[data-push]");
if (push && "serviceWorker" in navigator && "PushManager" in window) new PushSwitch(push);
