import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bandText,
  compact,
  decimals,
  percentText,
  priceText,
  spanText,
} from "../../static/js/lib/amounts.js";

test("large figures have three digits, a letter and their sign", () => {
  assert.equal(compact(1_234_567), "+1.23M");
  assert.equal(compact(-834_910), "−835k");
  assert.equal(compact(12_345), "+12.3k");
  assert.equal(compact(999_990), "+1.00M");
  assert.equal(compact(2.5e9), "+2.50B");
  assert.equal(compact(-182), "−182");
  assert.equal(compact(12.34), "+12.3");
  assert.equal(compact(4_210_000, { isSigned: false }), "4.21M");
});

test("zero has no sign and nothing is a dash", () => {
  assert.equal(compact(0), "0");
  assert.equal(compact(-0), "0");
  assert.equal(compact(0.00001), "0");
  assert.equal(compact(Number.NaN), "–");
});

test("prices have thousands separators and the market's decimals", () => {
  assert.equal(priceText(95_300, 2), "95,300.00");
  assert.equal(priceText(0.00001234, 8), "0.00001234");
  assert.equal(priceText(-12.5, 1), "−12.5");
  assert.equal(decimals(["95020.10", "95021.37", "95000"]), 2);
  assert.equal(decimals([0.1, 0.12345]), 5);
  assert.equal(decimals([]), 0);
});

test("shares and spans are written as one says them", () => {
  assert.equal(percentText(0.0123), "+1.23%");
  assert.equal(percentText(-0.00001), "0.00%");
  assert.equal(spanText(5_400), "1 h 30 m");
  assert.equal(spanText(-61), "1 m 1 s");
  assert.equal(spanText(0), "0 s");
});

test("a band is told as one reads it", () => {
  assert.equal(bandText(">=1M"), "≥1M");
  assert.equal(bandText("100-1k"), "100–1k");
});
