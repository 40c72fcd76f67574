import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bandNames,
  cumulate,
  lineOf,
  newestDelta,
  rollUp,
} from "../../static/js/lib/flow-lines.js";
import { apiBar, band, line } from "./bars.js";

test("a bar of the API and one of the socket become the same line", () => {
  const bands = { "<100": band(30, 10), ">=1M": band(0, 5, 2) };
  const fromApi = lineOf(apiBar(60, { bands }), "order");
  const { bands: _, ...rest } = apiBar(60);
  const fromSocket = lineOf({ ...rest, order: bands, trade: {} }, "order");
  assert.deepEqual(fromSocket, fromApi);
  assert.equal(fromApi.time, 60);
  assert.equal(fromApi.bands[">=1M"].delta, -5);
});

test("a bar that still runs counts as whole, a closed one with a gap does not", () => {
  assert.equal(lineOf(apiBar(0, { closed: false, complete: false }), "order").isWhole, true);
  assert.equal(lineOf(apiBar(0, { complete: false }), "order").isWhole, false);
});

test("a bar of which only the total is known has no bands", () => {
  assert.equal(lineOf(apiBar(0, { bands: null }), "order").bands, null);
});

test("a longer bar is the roll-up of its parts", () => {
  const parts = [
    lineOf(apiBar(300, { high: "103", bands: { "<100": band(30, 10) } }), "order"),
    lineOf(apiBar(360, { low: "99", close: "102", bands: { "<100": band(1, 5) } }), "order"),
    lineOf(apiBar(600), "order"),
  ];
  const [first, second] = rollUp(parts, 300);
  assert.deepEqual(
    [first.time, first.open, first.high, first.low, first.close],
    [300, 100.5, 103, 99, 102],
  );
  assert.deepEqual([first.trades, first.delta], [6, 40]);
  assert.deepEqual(first.bands["<100"], { buy: 31, sell: 15, count: 2, delta: 16 });
  assert.equal(second.time, 600);
  assert.equal(parts[0].bands["<100"].delta, 20, "the parts are as they were");
});

test("one part without bands leaves the longer bar without", () => {
  const parts = [lineOf(apiBar(0), "order"), lineOf(apiBar(60, { bands: null }), "order")];
  assert.equal(rollUp(parts, 300)[0].bands, null);
  assert.equal(rollUp([...parts].reverse(), 300)[0].bands, null);
});

test("CVD adds up deltas from the oldest bar", () => {
  const lines = cumulate(
    [line(0, 5, { a: 3 }), line(60, -7, { a: -4 }), line(120, 1, { a: 1 })],
    "continuous",
  );
  assert.deepEqual(
    lines.map(({ cvd }) => cvd),
    [5, -2, -1],
  );
  assert.deepEqual(
    lines.map(({ bandCvd }) => bandCvd.a),
    [3, -1, 0],
  );
});

test("CVD of the day begins again at midnight UTC", () => {
  const lines = cumulate([line(86_340, 5), line(86_400, 2), line(86_460, 2)], "day");
  assert.deepEqual(
    lines.map(({ cvd }) => cvd),
    [5, 2, 4],
  );
});

test("from a moment on the line is 0 where its bar opens", () => {
  const lines = cumulate([line(0, 5, { a: 5 }), line(60, 2, { a: 1 }), line(120, 3, { a: 2 })], 60);
  assert.deepEqual(
    lines.map(({ cvd }) => cvd),
    [0, 2, 5],
  );
  assert.deepEqual(
    lines.map(({ bandCvd }) => bandCvd.a),
    [0, 1, 3],
  );
});

test("a bar without bands breaks their lines, not the total; the sum goes on behind it", () => {
  const lines = cumulate(
    [line(0, 5, { a: 5 }), line(60, 2, null), line(120, 3, { a: 2 })],
    "continuous",
  );
  assert.deepEqual(
    lines.map(({ cvd }) => cvd),
    [5, 7, 10],
  );
  assert.deepEqual(
    lines.map(({ bandCvd }) => bandCvd?.a ?? null),
    [5, null, 7],
  );
});

test("names of bands come from the newest bar that has any", () => {
  assert.deepEqual(bandNames([line(0, 1, { a: 1, b: 2 }), line(60, 1, null)]), ["a", "b"]);
  assert.deepEqual(bandNames([line(0, 1, null)]), []);
});

test("the newest minute is summed by its name, a longer bar by its own", () => {
  const fine = [0, 30, 35, 90].map((time) => ({ time, delta: 1 }));
  assert.deepEqual(newestDelta(fine, "5s"), { span: "1m", delta: 2 });
  assert.deepEqual(
    newestDelta(
      [
        { time: 0, delta: 2 },
        { time: 60, delta: 3 },
      ],
      "1m",
    ),
    {
      span: "1m",
      delta: 3,
    },
  );
  assert.deepEqual(
    newestDelta(
      [
        { time: 0, delta: 2 },
        { time: 300, delta: 4 },
      ],
      "5m",
    ),
    {
      span: "5m",
      delta: 4,
    },
  );
});
