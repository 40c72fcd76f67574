import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

class FakeSocket {
  static OPEN = 1;
  static made = [];
  readyState = 0;
  sent = [];

  constructor(address) {
    this.address = address;
    FakeSocket.made.push(this);
  }

  open() {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  hear(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  close() {
    this.readyState = 3;
    this.onclose();
  }
}

globalThis.WebSocket = FakeSocket;
globalThis.location = { protocol: "https:", host: "example.org" };
const { Live, listen } = await import("../../static/js/lib/live.js");

const open = [];

/** A Live that keeps what it hears. */
function made(...topics) {
  const heard = { messages: [], states: [] };
  const live = new Live({
    topics,
    onMessage: (message) => heard.messages.push(message.data ?? message),
    onState: (state) => heard.states.push(state),
  });
  open.push(live);
  return { live, ...heard };
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  mock.method(Math, "random", () => 0.5);
  FakeSocket.made.length = 0;
});

afterEach(() => {
  for (const live of open.splice(0)) live.close();
  mock.timers.reset();
  mock.restoreAll();
});

test("whatever listens on a page shares one socket and hears its own topics", () => {
  const [first, second] = [made("pnl", "account"), made("account", "book:spot:BTCUSDT")];
  const [socket] = FakeSocket.made;
  assert.equal(socket.address, "wss://example.org/ws/live/");
  socket.open();
  assert.deepEqual(socket.sent, [{ subscribe: ["pnl", "account", "book:spot:BTCUSDT"] }]);
  socket.hear({ topic: "account", seq: 1, data: "a" });
  socket.hear({ topic: "pnl", seq: 2, data: "p" });
  assert.deepEqual(first.messages, ["a", "p"]);
  assert.deepEqual(second.messages, ["a"]);
  assert.equal(FakeSocket.made.length, 1);
});

test("who comes and goes later asks for and gives back only what nobody else hears", () => {
  made("account");
  const [socket] = FakeSocket.made;
  socket.open();
  const { live } = made("account", "flow:spot:BTCUSDT:1s");
  live.close();
  live.close();
  assert.deepEqual(socket.sent.slice(1), [
    { subscribe: ["flow:spot:BTCUSDT:1s"] },
    { unsubscribe: ["flow:spot:BTCUSDT:1s"] },
  ]);
  assert.equal(socket.readyState, FakeSocket.OPEN);
});

test("on an open socket it is live when its own topic is heard, or a second later", () => {
  made("account");
  const [socket] = FakeSocket.made;
  socket.open();
  const late = made("pnl");
  socket.hear({ topic: "account", data: 1 });
  assert.deepEqual(late.states, []);
  mock.timers.tick(1_000);
  socket.hear({ heartbeat: 1 });
  assert.deepEqual(late.states, ["live"]);
  const own = made("book:spot:BTCUSDT");
  socket.hear({ topic: "book:spot:BTCUSDT", data: 1 });
  assert.deepEqual(own.states, ["live"]);
});

test("a lost socket comes back with growing pauses and asks for everything again", () => {
  const { states } = made("pnl");
  FakeSocket.made[0].open();
  FakeSocket.made[0].close();
  mock.timers.tick(1_000);
  assert.equal(FakeSocket.made.length, 2);
  FakeSocket.made[1].close(); // refused
  mock.timers.tick(1_999);
  assert.equal(FakeSocket.made.length, 2);
  mock.timers.tick(1);
  FakeSocket.made[2].open();
  FakeSocket.made[2].hear({ topic: "pnl", seq: 1, data: 1 });
  assert.deepEqual(FakeSocket.made[2].sent, [{ subscribe: ["pnl"] }]);
  assert.deepEqual(states, ["reconnecting", "reconnecting", "live"]);
});

test("a silent socket is told as stale and then given up", () => {
  const { states } = made("pnl");
  FakeSocket.made[0].open();
  mock.timers.tick(16_000);
  assert.equal(states.at(-1), "reconnecting");
  assert.ok(states.includes("stale"));
});

test("when nobody listens any more the socket is closed for good", () => {
  const { live, states } = made("pnl");
  FakeSocket.made[0].open();
  live.close();
  assert.equal(FakeSocket.made[0].readyState, 3);
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.made.length, 1);
  assert.deepEqual(states, []);
});

test("messages are acknowledged before the server pauses", () => {
  const heard = [];
  open.push(listen("pnl", (message) => heard.push(message.seq)));
  const [socket] = FakeSocket.made;
  socket.open();
  for (let seq = 1; seq <= 40; seq += 1) socket.hear({ topic: "pnl", seq });
  assert.deepEqual(socket.sent.slice(1), [{ ack: 20 }, { ack: 40 }]);
  assert.equal(heard.length, 40);
});
