const SILENCE_MS = 15_000;
const LONGEST_PAUSE_MS = 30_000;

/** One socket to /ws/live/ that comes back by itself. `onState` hears "live", "stale" or "reconnecting". */
export class Live {
  #topics;
  #onMessage;
  #onState;
  #socket;
  #pause = 1_000;
  #heard = 0;
  #timer;
  #isClosed = false;

  constructor({ topics, onMessage, onState }) {
    this.#topics = topics;
    this.#onMessage = onMessage;
    this.#onState = onState;
    this.#connect();
    this.#timer = setInterval(() => this.#watch(), 1_000);
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #connect() {
    if (this.#isClosed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#socket = new WebSocket(`${scheme}://${location.host}/ws/live/`);
    this.#heard = Date.now();
    this.#socket.onopen = () => this.#socket.send(JSON.stringify({ subscribe: this.#topics }));
    this.#socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    this.#socket.onclose = () => this.#again();
  }

  #take(message) {
    this.#heard = Date.now();
    this.#pause = 1_000;
    this.#onState("live");
    if (message.seq && message.seq % 10 === 0)
      this.#socket.send(JSON.stringify({ ack: message.seq }));
    if (message.topic) this.#onMessage(message);
  }

  #again() {
    if (this.#isClosed) return;
    this.#onState("reconnecting");
    setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random()));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #watch() {
    const silence = Date.now() - this.#heard;
    if (this.#socket.readyState !== WebSocket.OPEN || silence < SILENCE_MS / 2) return;
    this.#onState("stale", Math.round(silence / 1_000));
    if (silence > SILENCE_MS) this.#socket.close();
  }
}
