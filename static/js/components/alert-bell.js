/** The bell of the header: counts what is unread, and says what alerts tell while a page is open.
 *  Of all open pages one holds the socket and hands on what it hears. */
import { Live } from "../lib/live.js";
import { bindToasts } from "./toast.js";

const CHANNEL = "tapelog.alerts";

export class AlertBell {
  #link;
  #count;
  #toasts;
  #heard = new Set();
  #others = new BroadcastChannel(CHANNEL);

  constructor(link, toasts) {
    this.#link = link;
    this.#count = link.querySelector("[data-count]");
    this.#toasts = toasts;
    this.#others.onmessage = ({ data }) => this.#take(data, false);
    if (!navigator.locks) return;
    navigator.locks.request(CHANNEL, () => new Promise(() => this.#listen()));
  }

  #listen() {
    new Live({
      topics: ["alerts"],
      onMessage: ({ data }) => {
        this.#others.postMessage(data);
        this.#take(data, true);
      },
      onState: () => {},
    });
  }

  #take(event, isFirst) {
    if (!event?.id || this.#heard.has(event.id)) return;
    this.#heard.add(event.id);
    const unread = Number(this.#count.textContent) + 1;
    this.#count.textContent = unread;
    this.#count.hidden = false;
    if (document.visibilityState === "visible") this.#toast(event);
    if (!isFirst) return;
    if (localStorage.getItem("tapelog.alerts.sound") === "on") beep();
    this.#notify(event);
  }

  #toast(event) {
    const toast = document.createElement("p");
    toast.className = "notice notice-info";
    toast.dataset.toast = "";
    toast.setAttribute("role", "status");
    const link = document.createElement("a");
    link.href = event.url ?? this.#link.href;
    link.textContent = event.text;
    toast.append(link);
    const holder = document.createElement("div");
    holder.dataset.close = this.#toasts.dataset.close;
    holder.append(toast);
    this.#toasts.append(holder);
    bindToasts(holder);
  }

  #notify(event) {
    const isWished = localStorage.getItem("tapelog.alerts.notify") === "on";
    if (!isWished || !("Notification" in window) || Notification.permission !== "granted") return;
    const note = new Notification("Tapelog", { body: event.text, tag: event.id });
    note.onclick = () => {
      window.focus();
      location.href = event.url ?? this.#link.href;
    };
  }
}

/** A short tone, made here: no file to fetch. */
function beep() {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const loudness = context.createGain();
  loudness.gain.value = 0.1;
  tone.frequency.value = 880;
  tone.connect(loudness).connect(context.destination);
  tone.onended = () => context.close();
  tone.start();
  tone.stop(context.currentTime + 0.2);
}
