/** Whether alerts reach this browser while no page is open: a channel of its own by the browser's push service. */
import { send } from "../lib/api.js";

const KEPT = "tapelog.push.channel";

export class PushSwitch {
  #root;
  #problem;

  /** `root` has [data-push] (the installation's public key), buttons and a place for what went wrong. */
  constructor(root) {
    [this.#root, this.#problem] = [root, root.querySelector("[data-push-problem]")];
    root.hidden = false;
    this.#button("on").addEventListener("click", () => this.#try(() => this.#begin()));
    this.#button("off").addEventListener("click", () => this.#try(() => this.#end()));
    this.#show();
  }

  #button(name) {
    return this.#root.querySelector(`[data-push-${name}]`);
  }

  async #show() {
    const { pushManager } = await navigator.serviceWorker.ready;
    const isOn = Boolean(await pushManager.getSubscription()) && Boolean(localStorage[KEPT]);
    this.#button("on").hidden = isOn;
    this.#button("off").hidden = !isOn;
  }

  async #try(act) {
    this.#problem.hidden = true;
    try {
      await act();
      location.reload();
    } catch (error) {
      this.#problem.textContent = error.message;
      this.#problem.hidden = false;
      this.#show();
    }
  }

  /** Subscribe, make the channel and prove it by a first message; a channel that is not proven is taken away again. */
  async #begin() {
    if ((await Notification.requestPermission()) !== "granted")
      throw new Error(this.#problem.dataset.denied);
    const { pushManager } = await navigator.serviceWorker.ready;
    const subscription = await pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: bytesOf(this.#root.dataset.push),
    });
    const day = new Date().toISOString().slice(0, 16).replace("T", " ");
    const { id } = await send("POST", "/api/channels", {
      kind: "webpush",
      name: `${this.#root.dataset.name} ${day}`,
      target: JSON.stringify(subscription),
    });
    try {
      await send("POST", `/api/channels/${id}/prove`, {});
    } catch (error) {
      await send("DELETE", `/api/channels/${id}`);
      await subscription.unsubscribe();
      throw error;
    }
    localStorage[KEPT] = id;
  }

  async #end() {
    const { pushManager } = await navigator.serviceWorker.ready;
    await (await pushManager.getSubscription())?.unsubscribe();
    const id = localStorage[KEPT];
    localStorage.removeItem(KEPT);
    // it may be gone already, by the list below
    if (id) await send("DELETE", `/api/channels/${id}`).catch(() => {});
  }
}

/** base64url -> bytes. */
function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}
