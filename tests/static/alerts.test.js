import assert from "node:assert/strict";
import { test } from "node:test";

import { markersAt, newAlert } from "../../static/js/lib/alerts.js";

test("a form begins with what was pointed at and with nothing that is not known", () => {
  const known = { kind: "price_crosses", market: "spot", symbol: "BTCUSDT", level: "61837.63" };
  assert.equal(
    newAlert({ ...known, unit: undefined, band: "" }),
    "/alerts/new/?kind=price_crosses&market=spot&symbol=BTCUSDT&level=61837.63",
  );
  assert.equal(newAlert({ band: ">=1M" }), "/alerts/new/?band=%3E%3D1M");
});

test("events of one bar are one mark with their number, in the order of time", () => {
  const at = (seconds) => ({ at: seconds * 1_000 });
  const marks = markersAt([at(1_799), at(60), at(900), at(1_000)], 900, "red");
  assert.deepEqual(
    marks.map(({ time, text }) => [time, text]),
    [
      [0, ""],
      [900, "3"],
    ],
  );
  assert.equal(marks[0].color, "red");
});
