import { Live } from "./live.js";

const listeners = new Map();
const watchers = new Set();
let isWanted = false;

/**
 * One socket for whatever on this page wants to hear; what listens while the page is loading shares it. `hear` gets
 * each message of the topic (`resync` too), `watch` the socket's state.
 */
export function listen(topic, hear, watch = () => {}) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), hear]);
  watchers.add(watch);
  if (!isWanted) document.addEventListener("DOMContentLoaded", connect, { once: true });
  isWanted = true;
}

function connect() {
  new Live({
    topics: [...listeners.keys()],
    onMessage: (message) => {
      for (const hear of listeners.get(nameOf(message.topic)) ?? []) hear(message);
    },
    onState: (state, seconds) => {
      for (const watch of watchers) watch(state, seconds);
    },
  });
}

/** A private topic comes back with its owner's number behind it. */
const nameOf = (topic) => (listeners.has(topic) ? topic : topic.split(":")[0]);
