import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= { documentElement: {} };
const { spreadOut } = await import("../../static/js/components/end-labels.js");

test("labels that would cover one another move apart and stay inside", () => {
  assert.deepEqual(spreadOut([50, 10, 52], 10, 0, 100), [50, 10, 60]);
  assert.deepEqual(spreadOut([99, 98], 10, 0, 100), [100, 90]);
});

test("a pane without values, lower than its margins, has no labels", () => {
  assert.deepEqual(spreadOut([], 10, 8, -4), []);
});
