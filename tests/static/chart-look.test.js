import assert from "node:assert/strict";
import { test } from "node:test";

import { tickText } from "../../static/js/components/chart-look.js";

const at = (hour, minute, second = 0) => Date.UTC(2026, 10, 29, hour, minute, second) / 1_000;

test("a tick between two minutes has its seconds, so that no two read the same", () => {
  const ticks = [at(6, 38), at(6, 38, 20), at(6, 38, 40), at(6, 39)];
  assert.deepEqual(
    ticks.map((time) => tickText(time, 3, 1)),
    ["06:38", "06:38:20", "06:38:40", "06:39"],
  );
});

test("a day is told where it begins, and long bars have no clock", () => {
  assert.equal(tickText(at(0, 0), 2, 60), "29 Nov");
  assert.equal(tickText(at(12, 0), 2, 60), "12:00");
  assert.equal(tickText(at(0, 0), 1, 86_400), "Nov 2026");
});
