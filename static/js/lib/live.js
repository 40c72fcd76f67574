const SILENCE_MS = 15_000;
const LONGEST_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;
/** After which a topic is heard for sure that was asked for on an open socket. */
const SETTLED_MS = 1_000;
/** Of 60 that may be on their way. */
const ACKNOWLEDGED_EVERY = 20;

/** Some topics of the page's socket. `onState` hears "live", "stale" or "reconnecting", `onMessage`
 *  each message of the topics (`resync` too). */
export class Live {
  #onMessage;
  #onState;
  #since = 0;
  #isSettled = false;

  constructor({ topics, onMessage, onState = () => {} }) {
    this.topics = topics;
    this.#onMessage = onMessage;
    this.#onState = onState;
    wire.join(this);
  }

  close() {
    wire.leave(this);
  }

  /** The wire has just asked for the topics. */
  begin() {
    this.#since = Date.now();
    this.#isSettled = false;
  }

  take(message) {
    const isMine = this.topics.includes(message.topic);
    this.#isSettled ||= isMine || Date.now() - this.#since >= SETTLED_MS;
    if (this.#isSettled) this.#onState("live");
    if (isMine) this.#onMessage(message);
  }

  tell(state, seconds) {
    this.#onState(state, seconds);
  }
}

/** `hear` gets each message of one topic, `watch` the socket's state. */
export function listen(topic, hear, watch) {
  return new Live({ topics: [topic], onMessage: hear, onState: watch });
}

/** The page's one socket to /ws/live/, which comes back by itself. Whatever listens on the page shares
 *  it, so that the server's limit of a user's sockets is one of pages. */
class Wire {
  #lives = new Set();
  #socket = null;
  #pause = FIRST_PAUSE_MS;
  #heard = 0;
  #watching;
  #coming;

  constructor() {
    // who comes back to the page, or to the network, does not wait for the pause to end
    globalThis.addEventListener?.("online", () => this.#comeNow());
    globalThis.document?.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#comeNow();
    });
  }

  join(live) {
    const known = this.#topics();
    this.#lives.add(live);
    live.begin();
    this.#watching ??= setInterval(() => this.#watch(), 1_000);
    if (this.#socket) this.#say({ subscribe: live.topics.filter((topic) => !known.has(topic)) });
    else if (this.#coming === undefined) this.#connect();
  }

  leave(live) {
    if (!this.#lives.delete(live)) return;
    const left = this.#topics();
    if (this.#lives.size) {
      this.#say({ unsubscribe: live.topics.filter((topic) => !left.has(topic)) });
      return;
    }
    clearInterval(this.#watching);
    clearTimeout(this.#coming);
    this.#watching = this.#coming = undefined;
    this.#pause = FIRST_PAUSE_MS;
    const socket = this.#socket;
    this.#socket = null; // so that it is not missed
    socket?.close();
  }

  #topics() {
    return new Set([...this.#lives].flatMap(({ topics }) => topics));
  }

  #connect() {
    this.#coming = undefined;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/live/`);
    this.#socket = socket;
    this.#heard = Date.now();
    socket.onopen = () => this.#open();
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    // one that was given up does not come back
    socket.onclose = () => socket === this.#socket && this.#again();
  }

  #open() {
    for (const live of this.#lives) live.begin();
    this.#say({ subscribe: [...this.#topics()] });
  }

  #say(message) {
    const isNothing = Object.values(message).every((topics) => topics.length === 0);
    if (isNothing || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(message));
  }

  #take(message) {
    this.#heard = Date.now();
    this.#pause = FIRST_PAUSE_MS;
    if (message.seq && message.seq % ACKNOWLEDGED_EVERY === 0)
      this.#socket?.send(JSON.stringify({ ack: message.seq }));
    for (const live of [...this.#lives]) live.take(message);
  }

  #again() {
    this.#socket = null;
    this.#tell("reconnecting");
    this.#coming = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random()));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #comeNow() {
    if (this.#coming === undefined) return;
    clearTimeout(this.#coming);
    this.#connect();
  }

  #watch() {
    const silence = Date.now() - this.#heard;
    if (this.#socket?.readyState !== WebSocket.OPEN || silence < SILENCE_MS / 2) return;
    this.#tell("stale", Math.round(silence / 1_000));
    if (silence > SILENCE_MS) this.#socket.close();
  }

  #tell(state, seconds) {
    for (const live of [...this.#lives]) live.tell(state, seconds);
  }
}

const wire = new Wire();
