import assert from "node:assert/strict";
import { test } from "node:test";

import { BarWindow } from "../../static/js/lib/bar-window.js";
import { apiBar } from "./bars.js";

const NOW = 1_000_000 * 60; // s, at a minute's beginning

/** A server with a bar for each minute from `first` on; it notes what it was asked. */
function server(first, change = () => ({})) {
  const asked = [];
  const seconds = { "1m": 60, "5m": 300 };
  const ask = async (query) => {
    asked.push(query);
    const step = seconds[query.interval];
    const end = query.end ? query.end / 1_000 : (query.before ?? (NOW + step) * 1_000) / 1_000;
    const start = query.start ? query.start / 1_000 : end - query.limit * step;
    const bars = [];
    for (
      let t = Math.ceil(Math.max(start, first) / step) * step;
      t < Math.min(end, NOW + 1);
      t += step
    )
      bars.push(apiBar(t));
    return { bars, gaps: [], ...change(query, start, first) };
  };
  return { ask, asked };
}

const opened = async (given, interval = "1m", at = undefined) => {
  const window = new BarWindow({ interval, unit: "order", ask: given.ask, now: () => NOW * 1_000 });
  await window.open(at);
  return window;
};

test("the newest page ends with the bar that runs", async () => {
  const window = await opened(server(0));
  assert.equal(window.lines.at(-1).time, NOW);
  assert.equal(window.lines.length, 500);
  assert.ok(window.isAtNow);
});

test("a page around a moment long ago does not reach to now, and grows to both sides without a seam", async () => {
  const at = NOW - 5_000 * 60;
  const window = await opened(server(0), "1m", at);
  assert.ok(!window.isAtNow);
  await window.older();
  await window.newer();
  const times = window.lines.map(({ time }) => time);
  assert.equal(times.length, 1_500);
  assert.ok(times.every((time, index) => !index || time - times[index - 1] === 60));
  assert.ok(times[0] < at && times.at(-1) > at);
});

test("newer pages end at now", async () => {
  const window = await opened(server(0), "1m", NOW - 400 * 60);
  await window.newer();
  assert.ok(window.isAtNow);
  assert.equal(window.lines.at(-1).time, NOW);
});

test("before the listing there is no older page", async () => {
  const told = server(NOW - 300 * 60, (_query, start, first) => ({
    missing:
      start < first
        ? [{ from: start * 1_000, to: first * 1_000, state: "none", reason: "before_listing" }]
        : [],
  }));
  const window = await opened(told);
  assert.ok(window.isFirst);
  assert.equal(await window.older(), false);
  assert.equal(window.extent(window.lines).from, NOW - 300 * 60);
});

test("a live minute moves the running longer bar by what it is, not by what it adds", async () => {
  const window = await opened(server(0), "5m");
  const before = window.lines.at(-1);
  assert.equal(before.delta, 20 * (1 + (NOW % 300) / 60));
  window.take({ ...apiBar(NOW, { closed: false }), order: {} }, "1m");
  window.take({ ...apiBar(NOW, { closed: false, delta: "25" }), order: {} }, "1m");
  assert.equal(window.lines.at(-1).delta, before.delta + 5);
});

test("a live bar of another grain, or while one looks at the past, is not taken", async () => {
  const now = await opened(server(0));
  assert.equal(now.take(apiBar(NOW), "1s"), false);
  const past = await opened(server(0), "1m", NOW - 9_000 * 60);
  assert.equal(past.take(apiBar(NOW), "1m"), false);
});

test("what is being fetched is asked for again until it is there", async () => {
  let tries = 0;
  const slow = {
    ask: async ({ limit }) => {
      tries += 1;
      const missing =
        tries < 3
          ? [{ from: (NOW - 60) * 1_000, to: NOW * 1_000, state: "fetching", reason: null }]
          : [];
      return {
        bars: limit && tries >= 3 ? [apiBar(NOW - 60), apiBar(NOW)] : [apiBar(NOW)],
        missing,
        retry_ms: tries < 3 ? 1 : null,
      };
    },
  };
  await new Promise((resolve) => {
    const window = new BarWindow({
      interval: "1m",
      unit: "order",
      ask: slow.ask,
      now: () => NOW * 1_000,
      onChange: () => {
        if (window.isWaiting) return;
        assert.deepEqual(
          window.lines.map(({ time }) => time),
          [NOW - 60, NOW],
        );
        resolve();
      },
    });
    window.open().then(() => assert.ok(window.isWaiting));
  });
  assert.equal(tries, 3);
});

test("at most 6000 bars are kept, those nearest to where one looks", async () => {
  const window = await opened(server(0));
  for (let page = 0; page < 14; page += 1) await window.older();
  assert.equal(window.lines.length, 6_000);
  assert.ok(!window.isAtNow);
  assert.equal(window.lines[0].time, window.from);
  assert.equal(window.lines.at(-1).time, window.to - 60);
});
