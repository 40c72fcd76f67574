import assert from "node:assert/strict";
import { test } from "node:test";

import {
  coverage,
  holes,
  INTERVALS,
  lastInView,
  opening,
  places,
  runs,
} from "../../static/js/lib/spans.js";

const at = (...times) => times.map((time) => ({ time, isWhole: true }));

test("a bar opens at a multiple of its length, a week on Monday", () => {
  assert.equal(opening(3_599, 300), 3_300);
  assert.equal(opening(3_600, 300), 3_600);
  // Thu 2026-11-19 14:01 UTC is in the week of Mon 2026-11-16
  const moment = Date.UTC(2026, 10, 19, 14, 1) / 1_000;
  assert.equal(opening(moment, INTERVALS["1w"]), Date.UTC(2026, 10, 16) / 1_000);
  assert.equal(opening(moment, INTERVALS["1d"]), Date.UTC(2026, 10, 19) / 1_000);
});

test("the axis has a place for each missing bar", () => {
  assert.deepEqual(places(at(60, 240), 60, 60, 300), [60, 120, 180, 240, 300]);
  assert.deepEqual(places(at(120), 60, 0, 120), [0, 60, 120]);
});

test("a hole of days takes 1000 places at most, in order and inside it", () => {
  const times = places(at(0, 86_400_000), 60, 0, 86_400_000);
  assert.equal(times.length, 1_002);
  assert.deepEqual(
    times,
    [...new Set(times)].sort((a, b) => a - b),
  );
});

test("lines are cut where a bar is missing and where its value is not known", () => {
  const lines = [
    { time: 0, value: 1 },
    { time: 60, value: 2 },
    { time: 180, value: 3 },
    { time: 240, value: null },
    { time: 300, value: 5 },
  ];
  const cut = runs(lines, 60, ({ value }) => value !== null);
  assert.deepEqual(
    cut.map((run) => run.map(({ time }) => time)),
    [[0, 60], [180], [300]],
  );
  assert.deepEqual(runs([], 60), []);
});

test("a hole reaches from the first missing bar to the next that is there", () => {
  const found = holes(at(0, 60, 240), 60, { from: 0, to: 300 });
  assert.deepEqual(
    found.map(({ from, to, state }) => [from, to, state]),
    [[120, 240, "missing"]],
  );
});

test("what is missing before the first and after the last bar is a hole too", () => {
  const found = holes(at(120), 60, { from: 0, to: 240 });
  assert.deepEqual(
    found.map(({ from, to }) => [from, to]),
    [
      [0, 120],
      [180, 240],
    ],
  );
});

test("a bar that is not whole is part of the hole beside it", () => {
  const lines = [...at(0), { time: 60, isWhole: false }, ...at(180)];
  const found = holes(lines, 60, { from: 0, to: 180 });
  assert.deepEqual(
    found.map(({ from, to }) => [from, to]),
    [[60, 180]],
  );
});

test("a hole says why: it is being fetched, it was refused, so many trades are lost", () => {
  const missing = [{ from: 60_000, to: 120_000, state: "refused", reason: "HTTP 418" }];
  const [refused] = holes(at(0, 120), 60, { from: 0, to: 120, missing });
  assert.deepEqual([refused.state, refused.reason], ["refused", "HTTP 418"]);
  const both = [...missing, { from: 60_000, to: 90_000, state: "fetching", reason: null }];
  assert.equal(holes(at(0, 120), 60, { from: 0, to: 120, missing: both })[0].state, "fetching");
  const gaps = [
    { from_id: 5, to_id: 8, from: 70_000, to: 80_000, state: "open" },
    { from_id: 9, to_id: 9, from: 90_000, to: 90_000, state: "filled" },
  ];
  assert.equal(holes(at(0, 120), 60, { from: 0, to: 120, gaps })[0].trades, 4);
});

test("the last line in view is none where nothing in view is known", () => {
  const lines = at(60, 120, 600);
  assert.equal(lastInView(lines, [60, 300]).time, 120);
  assert.equal(lastInView(lines, [180, 540]), undefined);
  assert.equal(lastInView(lines, undefined).time, 600);
});

test("a stretch of ten minutes of which one is known is not covered", () => {
  const lines = at(240, 245, 250, 255, 260, 265, 270, 275, 280, 285, 290, 295);
  assert.equal(coverage(lines, 5, 0, 600), 0.1);
  assert.equal(coverage(lines, 5, 240, 300), 1);
  assert.equal(coverage([], 5, 0, 600), 0);
});
