"""A user's way through the journal: an account, the year, a trade, a note, the replay."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import ADDRESS, SIMULATOR

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_an_account_is_connected_checked_and_forgotten(page: Page) -> None:
    known = page.request.get(f"{SIMULATOR}/simulator/accounts").json()
    demo = next(item for item in known if item["name"] == "demo")
    key = demo["keys"][0]
    page.goto(f"{ADDRESS}/account/exchange/connect/")
    for secret in ("wrong" * 10, key["secretKey"]):
        page.get_by_label("Name").fill("Demo year")
        page.get_by_label("API key").fill(key["apiKey"])
        page.get_by_label("Secret key").fill(secret)
        page.get_by_role("button", name="Connect", exact=True).click()
        if secret != key["secretKey"]:  # said beside its field, and nothing was kept
            expect(page.locator(".has-error")).to_contain_text("does not belong to this key")
    expect(page.locator("[data-refresh] .state")).to_have_text("Live")
    expect(page.get_by_text("The key cannot withdraw or transfer.")).to_be_visible()
    expect(page.get_by_role("cell", name="BNBUSDT")).to_be_visible()
    page.get_by_text("Disconnect", exact=True).click()
    page.get_by_role("button", name="Delete the account and its data").click()
    expect(page.get_by_role("link", name="Demo year")).to_have_count(0)


@pytest.mark.timeout(400)
def test_the_demos_year_is_there_to_be_looked_at_and_written_on(page: Page) -> None:
    """Home, the list, a trade with its chart, a note with a stop, and the replay."""
    deadline = time.monotonic() + 240
    while page.request.get(f"{ADDRESS}/api/trades/summary").json()["count"] < 50:
        assert time.monotonic() < deadline, "the demo's year was not read"
        page.wait_for_timeout(500)
    page.goto(f"{ADDRESS}/")
    onward = page.get_by_role("button", name="Go on without waiting")
    expect(onward.or_(page.locator(".card-equity")).first).to_be_visible()
    if onward.is_visible():
        onward.click()
    expect(page.locator(".card-equity svg.picture").first).to_be_visible()
    page.goto(f"{ADDRESS}/trades/")
    page.locator("table.trades .cell-symbol a").first.click()
    expect(page.locator("[data-trade] canvas").first).to_be_visible(timeout=60_000)
    page.get_by_label("Note (Markdown)").fill("waited **well**")
    page.get_by_label("Tags, separated by commas").fill("patience")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".note-text strong")).to_have_text("well")
    expect(page.locator("[data-loading]")).to_be_hidden()
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("[data-pnl]")).not_to_have_text("–")
    page.keyboard.press("ArrowRight")
    page.get_by_text("Show as table").click()
    expect(page.locator("[data-chart-table] tbody tr").nth(1)).to_be_visible()
    page.keyboard.press("x")
    expect(page.locator("[data-what-if]")).to_contain_text("Out here at")
    page.keyboard.press("x")
    expect(page.locator("[data-what-if]")).to_have_text("")
    page.goto(f"{ADDRESS}/trades/?tag=patience")
    expect(page.locator("table.trades .cell-symbol a")).to_have_count(1)
    page.keyboard.press("h")
    expect(page.locator(".strip")).to_contain_text("•••")
    page.wait_for_load_state()  # keys are heard when the page's script is there
    page.keyboard.press("h")
    expect(page.locator(".strip")).not_to_contain_text("•••")
