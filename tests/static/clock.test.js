import assert from "node:assert/strict";
import { test } from "node:test";

import { betweenText, clockText } from "../../static/js/lib/clock.js";

const at = (...parts) => Date.UTC(2026, 10, ...parts) / 1_000;

test("times without a page are of UTC, 24 hours", () => {
  assert.equal(clockText(at(19, 14, 1, 12)), "14:01");
  assert.equal(clockText(at(19, 0, 1, 12), true), "00:01:12");
});

test("a span says its days only where there is more than one", () => {
  assert.equal(betweenText(at(19, 13, 44), at(19, 13, 46), 60), "13:44–13:46");
  assert.equal(betweenText(at(19, 23, 0), at(20, 1, 0), 60), "19 Nov 23:00–20 Nov 01:00");
  assert.equal(betweenText(at(19), at(21), 86_400), "19 Nov–21 Nov");
});
