"""Orders in a real Chromium: switched on by a press, placed from the ticket, moved by dragging
their line in the chart, taken out again; the exchange says what came of each."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import ADDRESS, SIMULATOR, wait_for_the_list

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
BARS = 60
CONNECTED_SECONDS = 180
# Rows of the price's pane (px) in which a colour of the page's tokens is drawn over a good part of
# the width: a line at a price.
LINES = """([name]) => {
  const canvases = document.querySelectorAll(
    '[data-chart] tr:has(canvas) td:nth-child(2) canvas');
  const token = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const wanted = [1, 3, 5].map((at) => parseInt(token.slice(at, at + 2), 16));
  const { width, height } = canvases[0];
  const { data } = canvases[0].getContext('2d').getImageData(0, 0, width, height);
  const rows = [];
  for (let y = 0; y < height; y += 1) {
    let count = 0;
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      if (wanted.every((part, channel) => Math.abs(data[at + channel] - part) < 12)) count += 1;
    }
    if (count > width / 4) rows.push(y * canvases[0].clientHeight / height);
  }
  return rows;
}"""


def switch_on(page: Page) -> None:
    """Trading of the demo's account, once that is connected."""
    deadline = time.monotonic() + CONNECTED_SECONDS
    while not [row for row in accounts_of(page) if row["state"] == "live"]:
        assert time.monotonic() < deadline, "the demo's account was not connected"
        page.wait_for_timeout(500)
    page.goto(f"{ADDRESS}/trading/")
    button = page.get_by_role("button", name="Switch on")
    if button.count():
        button.first.click()
    expect(page.locator(".switch-form .state.is-on").first).to_be_visible()


def accounts_of(page: Page) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = page.request.get(f"{ADDRESS}/api/accounts").json()
    return rows


def resting(page: Page) -> tuple[str, float]:
    """Side and price of an order that can be seen in the chart and is not met soon."""
    answer = page.request.get(
        f"{ADDRESS}/api/cvd/realtime?symbol=BTCUSDT&interval=1m&minutes={BARS}"
    )
    bars = answer.json()["bars"]
    low, high = min(float(bar["low"]) for bar in bars), max(float(bar["high"]) for bar in bars)
    last = float(bars[-1]["close"])
    edge = (high - low) / 50
    return ("BUY", low + edge) if last - low > high - last else ("SELL", high - edge)


def own_orders(page: Page) -> dict[str, dict[str, Any]]:
    """Client id -> the order, as the exchange has it; not those of the made-up trader, who goes on
    living in the account."""
    known = page.request.get(f"{SIMULATOR}/simulator/accounts").json()
    account = next(one for one in known if one["name"].startswith("demo of") and one["fills"])
    told = page.request.get(f"{SIMULATOR}/simulator/accounts/{account['uid']}/truth").json()
    orders = {row["client_id"]: row for row in told["orders"]}
    return {name: row for name, row in orders.items() if not name.startswith("demo")}


def test_an_order_is_placed_moved_by_its_line_and_taken_out(desk: Page) -> None:
    switch_on(desk)
    wait_for_the_list(desk, "spot")
    before = own_orders(desk)
    desk.goto(f"{ADDRESS}/market/BTCUSDT/?interval=1m")
    expect(desk.locator("[data-loading]")).to_be_hidden()
    side, price = resting(desk)
    ticket = desk.locator("[data-ticket]")
    ticket.get_by_text("Buy" if side == "BUY" else "Sell", exact=True).click()
    ticket.get_by_label("Size by").select_option("quantity")
    ticket.get_by_label("Size", exact=True).fill("0.001")
    ticket.get_by_label("Entry", exact=True).fill(f"{price:.2f}")
    place = ticket.locator("[data-place]")
    expect(place).to_be_enabled()
    place.click()
    expect(place).to_contain_text(f"Place: {side} 0.001 @ {price:.2f}")
    assert own_orders(desk).keys() == before.keys(), "one press places nothing"
    place.click()
    expect(ticket.locator("[data-said]")).to_contain_text("Accepted: NEW")
    (placed,) = own_orders(desk).keys() - before.keys()

    line = drawn(desk)
    desk.locator("[data-chart]").evaluate("(chart) => chart.scrollIntoView({ block: 'start' })")
    box = desk.locator("[data-chart]").bounding_box()
    assert box is not None
    away = 12 if side == "SELL" else -12
    middle = box["x"] + box["width"] / 3
    desk.mouse.move(middle, box["y"] + line)
    desk.mouse.down()
    desk.mouse.move(middle, box["y"] + line - away / 2, steps=3)
    desk.mouse.move(middle, box["y"] + line - away, steps=3)
    desk.mouse.up()
    move = ticket.get_by_role("button", name="Move to")
    expect(move).to_be_visible()
    assert own_orders(desk)[placed]["status"] == "NEW", "dragging alone moves nothing"
    move.click()
    expect(ticket.locator("[data-moved]")).to_have_text("✓")
    after = {name: row for name, row in own_orders(desk).items() if name not in before}
    assert sorted(row["status"] for row in after.values()) == ["CANCELED", "NEW"]

    row = ticket.locator("[data-open] li").filter(has_text=f"{side} 0.001")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Cancel?").click()
    expect(row).to_have_count(0)
    statuses = {row["status"] for name, row in own_orders(desk).items() if name not in before}
    assert statuses == {"CANCELED"}


def drawn(page: Page) -> float:
    """Where the order's line stands, in px below the chart's top."""
    for _ in range(20):
        rows: list[float] = page.evaluate(LINES, ["--warn"])
        if rows:
            return sum(rows) / len(rows)
        page.wait_for_timeout(250)
    raise AssertionError("the order has no line in the chart")
