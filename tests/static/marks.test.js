import assert from "node:assert/strict";
import { test } from "node:test";

import { markText, merged, withinBars } from "../../static/js/lib/fill-marks.js";

const fill = (time, side, quantity) => ({ time, side, quantity });

test("fills of one side that would cover one another are one mark with their sum", () => {
  const marks = merged(
    [fill(61, "BUY", "0.1"), fill(119, "BUY", "0.2"), fill(65, "SELL", "1"), fill(185, "BUY", "3")],
    60,
  );
  assert.deepEqual(
    marks.map(({ time, side, count }) => [time, side, count]),
    [
      [60, "BUY", 2],
      [60, "SELL", 1],
      [180, "BUY", 1],
    ],
  );
  assert.equal(markText(marks[0], false), "0.3 (2)");
  assert.equal(markText(marks[2], false), "3");
});

test("the farther apart marks must be, the more fills they join", () => {
  assert.equal(merged([fill(0, "BUY", "1"), fill(240, "BUY", "1")], 60, 300).length, 1);
});

test("hidden amounts leave the count only", () => {
  assert.equal(markText({ count: 2, quantity: 5 }, true), "(2)");
  assert.equal(markText({ count: 1, quantity: 5 }, true), "");
});

test("fills before the first bar and after the last have no mark", () => {
  const fills = [fill(59, "BUY", "1"), fill(60, "BUY", "1"), fill(239, "SELL", "1")];
  const next = fill(240, "SELL", "1");
  assert.deepEqual(
    withinBars([...fills, next], 60, 60, 180).map(({ time }) => time),
    [60, 239],
  );
});
