import assert from "node:assert/strict";
import { test } from "node:test";

import { filtered, heatClass, hourOf, sorted, withGaps } from "../../static/js/lib/screening.js";

const row = (symbol, change = {}) => ({
  symbol,
  market: "spot",
  price: "1",
  change_pct: "1",
  delta: { "1m": "1", "5m": "1", "1h": "10" },
  cvd: ["0", "10"],
  ...change,
});
const names = (rows) => rows.map(({ symbol }) => symbol);

test("an hour that is not wholly known says how much of it is", () => {
  assert.deepEqual(hourOf(row("A")), { value: 10, minutes: 60 });
  const young = row("A", { delta: { "1m": null, "5m": null, "1h": null }, cvd: ["0", "3", "-4"] });
  assert.deepEqual(hourOf(young), { value: -4, minutes: 2 });
  assert.deepEqual(hourOf({ ...young, cvd: [] }), { value: null, minutes: 0 });
});

test("the gap is the future's hour less spot's, where both are known", () => {
  const rows = [row("A"), row("A", { market: "usdm", delta: { "1h": "25" } }), row("B")];
  assert.deepEqual(
    withGaps(rows).map(({ gap }) => gap),
    [15, 15, null],
  );
});

test("rows are sorted by a column, and what is not known comes last either way", () => {
  const rows = [row("B", { price: null }), row("A", { price: "2" }), row("C", { price: "10" })];
  assert.deepEqual(names(sorted(rows, "price")), ["A", "C", "B"]);
  assert.deepEqual(names(sorted(rows, "-price")), ["C", "A", "B"]);
  assert.deepEqual(names(sorted(rows, "symbol")), ["A", "B", "C"]);
  assert.deepEqual(names(sorted(rows, "nothing")), ["B", "A", "C"]);
});

test("rows are chosen by name, market and whether flow goes with the price", () => {
  const rows = [
    row("BTCUSDT"),
    row("ETHUSDT", { market: "usdm" }),
    row("SOLUSDT", { change_pct: "-2" }),
  ];
  assert.deepEqual(names(filtered(rows, { word: " eth" })), ["ETHUSDT"]);
  assert.deepEqual(names(filtered(rows, { market: "spot" })), ["BTCUSDT", "SOLUSDT"]);
  assert.deepEqual(names(filtered(rows, { flow: "against" })), ["SOLUSDT"]);
  assert.deepEqual(names(filtered(rows, {})), names(rows));
});

test("heat has five strengths for each sign", () => {
  assert.equal(heatClass(10, 10), "heat-up-5");
  assert.equal(heatClass(-0.1, 10), "heat-down-1");
  assert.equal(heatClass(0, 10), "");
  assert.equal(heatClass(null, 10), "");
});
