"""The journal's pages in a real Chromium: what a visitor and a trader do in their first minutes."""

import hashlib
import hmac
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.stage import ADDRESS, SIMULATOR, serious_faults

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
# a phone last: dark is looked at there
WIDTHS = ((1440, 900), (1280, 720), (768, 1024), (390, 844))
PAGES = (
    "/",
    "/trades/",
    "/calendar/",
    "/calendar/?view=year",
    "/calendar/2026-11-01/",
    "/reports/",
    "/reports/distribution/",
    "/reports/trend/",
    "/reports/?by=hour&across=weekday",
    "/portfolio/",
    "/settings/",
    "/account/exchange/",
    "/account/exchange/connect/",
    "/account/tokens/",
    "/staff/imports/",
    "/status/",
    "/market/BTCUSDT/",
    "/market/usdm/BTCUSDT/",
    "/markets/",
    "/nowhere/",
)
READ_SECONDS = 300
OVER_THE_EDGE = """(wide) => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > wide + 1)
  .slice(0, 5)
  .map((element) => element.outerHTML.slice(0, 120))"""


@pytest.fixture
def stranger(signed_in: tuple[Browser, Any]) -> Iterator[Page]:
    """Nobody yet, with a clock in Seoul."""
    context = signed_in[0].new_context(
        viewport={"width": 1440, "height": 900}, timezone_id="Asia/Seoul", locale="en"
    )
    opened = context.new_page()
    faults = listen_for_faults(opened)
    yield opened
    context.close()
    assert faults == []


@pytest.fixture(scope="session")
def year(signed_in: tuple[Browser, Any]) -> None:
    """The demo's year is read, and home shows it."""
    browser, state = signed_in
    page = browser.new_context(storage_state=state).new_page()
    deadline = time.monotonic() + READ_SECONDS
    while page.request.get(f"{ADDRESS}/api/trades/summary").json()["count"] < 50:
        assert time.monotonic() < deadline, "the demo's year was not read"
        page.wait_for_timeout(500)
    page.goto(f"{ADDRESS}/")
    if page.locator("[data-first-run]").count():
        page.get_by_role("button", name="Go on without waiting").click()
        expect(page.locator("[data-first-run]")).to_have_count(0)
    page.context.close()


@pytest.fixture
def trader(signed_in: tuple[Browser, Any], year: None) -> Iterator[Page]:
    """The user demo at a desk, when the year is read."""
    browser, state = signed_in
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, storage_state=state, reduced_motion="reduce"
    )
    opened = context.new_page()
    faults = listen_for_faults(opened)
    yield opened
    context.close()
    assert faults == []


def listen_for_faults(page: Page) -> list[str]:
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if is_fault(m) else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return faults


def is_fault(message: ConsoleMessage) -> bool:
    """A browser itself logs an answer of 404, and that a network is gone."""
    expected = re.search("404|ERR_INTERNET_DISCONNECTED|WebSocket", message.text)
    return message.type == "error" and not expected


def test_filters_apply_at_once_and_stand_in_the_address(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/trades/")
    trader.get_by_label("Direction").select_option("LONG")
    trader.wait_for_url("**/trades/?direction=LONG")
    trader.get_by_role("link", name="90 d", exact=True).click()
    trader.wait_for_url(re.compile("direction=LONG&from="))
    expect(trader.locator(".presets [aria-current]")).to_have_text("90 d")


def test_the_list_goes_on_by_itself_and_a_row_is_written_on_beside_it(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/trades/")
    rows = trader.locator("[data-trade-row]")
    assert rows.count() == 100
    trader.locator("[data-pager]").scroll_into_view_if_needed()
    expect(rows.nth(150)).to_be_attached()
    row = rows.first
    row.locator(".cell-side").click()
    sheet = trader.locator("[data-trade-sheet]")
    sheet.get_by_label("Tags").fill("beside, the list")
    sheet.get_by_label("Tags").blur()
    expect(sheet.locator("[data-said]")).to_have_text("Saved.")
    expect(row.locator(".tags")).to_contain_text("beside")
    trader.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def wait_until_read(page: Page) -> None:
    """Ends on the list of trades, when no book is computed anew and nothing older is read."""
    deadline = time.monotonic() + 2 * READ_SECONDS
    quiet = 0
    while quiet < 3:
        assert time.monotonic() < deadline, "the demo's year was not read to its end"
        page.goto(f"{ADDRESS}/trades/")
        is_read = page.get_by_text("Trades are being computed anew").count() == 0
        is_read = is_read and "%" not in page.locator(".account-pill").first.inner_text()
        quiet = quiet + 1 if is_read else 0
        page.wait_for_timeout(1000)


def test_a_cell_is_written_in_the_list(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/settings/")
    trader.locator("#setup-name").fill("By the book")
    trader.get_by_role("button", name="Add setup").click()
    wait_until_read(trader)
    trader.locator("[data-pager]").scroll_into_view_if_needed()
    rows = trader.locator("[data-trade-row]")
    expect(rows.nth(150)).to_be_attached()
    row = rows.nth(120)  # of the second page
    row.hover()
    row.locator("[data-edit=tags]").click()
    field = row.get_by_label("Tags")
    field.fill("in its cell")
    field.press("Enter")
    expect(row.locator(".tags")).to_contain_text("in its cell")
    row.locator("[data-edit=tags]").click()
    row.get_by_label("Tags").fill("not this")
    row.get_by_label("Tags").press("Escape")
    expect(row.locator(".tags")).to_contain_text("in its cell")
    row.locator("[data-edit=setup]").click()
    choice = row.get_by_label("Setup")
    choice.select_option("By the book")
    choice.press("Enter")
    expect(row.locator(".col-setup")).to_contain_text("By the book")


@pytest.mark.parametrize("wide", (920, 1024, 1280, 1400, 1440))
def test_the_head_of_the_trades_stays_above_its_rows(trader: Page, wide: int) -> None:
    trader.set_viewport_size({"width": wide, "height": 800})
    trader.goto(f"{ADDRESS}/trades/?sort=net")
    assert too_wide(trader, wide) == []
    tops = """() => {
      scrollTo(0, 700);
      const heads = [...document.querySelectorAll(".trades thead th")];
      const shown = heads.filter((th) => th.offsetWidth);
      return [...new Set(shown.map((th) => Math.round(th.getBoundingClientRect().top)))];
    }"""
    assert trader.evaluate(tops) == [48]


def test_a_day_opens_beside_the_calendar_and_after_a_reload(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/calendar/")
    if not trader.locator("a[data-day]").count():
        trader.get_by_label("Earlier").click()
    trader.locator("a[data-day]").first.click()
    panel = trader.locator("[data-day-panel]")
    expect(panel).to_be_visible()
    expect(panel.locator("textarea")).to_be_visible()
    trader.reload()
    expect(panel).to_be_visible()
    panel.get_by_label("Close").click()
    expect(panel).to_be_hidden()


def test_a_report_sorts_and_leads_to_its_trades(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/reports/?by=symbol")
    trader.get_by_role("button", name="n", exact=True).click()
    counts = [
        int(text)
        for text in trader.locator("[data-sortable] tbody td:nth-child(2)").all_text_contents()
    ]
    assert counts == sorted(counts, reverse=True)
    trader.locator("[data-sortable] tbody th a").first.click()
    trader.wait_for_url("**/trades/?symbol=**")


def test_a_fill_is_told_with_its_flow_and_moves_home_without_a_reload(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/")
    before = trader.locator("[data-position]").count()
    buy_at_the_simulator(trader, "0.001")
    toast = trader.locator(".fill-toast")
    expect(toast).to_contain_text("Bought 0.001 BTCUSDT")
    toast.get_by_label("Stop").fill("1000")
    toast.get_by_role("button", name="Keep").click()
    expect(toast.locator("[data-said]")).to_contain_text("The stop is kept")
    row = trader.locator("[data-position*='spot:BTCUSDT']")
    expect(row).to_be_visible()
    assert trader.locator("[data-position]").count() >= before


def buy_at_the_simulator(page: Page, quantity: str) -> None:
    """A market order with the demo's own key, which may trade for this."""
    known = page.request.get(f"{SIMULATOR}/simulator/accounts").json()
    account = next(one for one in known if one["name"].startswith("demo of") and one["fills"])
    key = account["keys"][0]
    page.request.post(
        f"{SIMULATOR}/simulator/keys/{key['apiKey']}",
        data={"permissions": {"enableSpotAndMarginTrading": True}},
    )
    asked = urlencode(
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "MARKET",
            "quantity": quantity,
            "timestamp": int(time.time() * 1000),
        }
    )
    signature = hmac.new(key["secretKey"].encode(), asked.encode(), hashlib.sha256).hexdigest()
    answer = page.request.post(
        f"{SIMULATOR}/api/v3/order?{asked}&signature={signature}",
        headers={"X-MBX-APIKEY": key["apiKey"]},
    )
    assert answer.ok, answer.text()


def test_a_file_is_taken_in_and_undone(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/account/exchange/")
    trader.get_by_text("Add an account from files only").click()
    trader.get_by_label("Name, as you will see it").fill("From a file")
    trader.get_by_role("button", name="Add it").click()
    body = (
        "Date(UTC),Pair,Side,Price,Executed,Amount,Fee\n"
        "2024-05-01 10:00:00,BTCUSDT,BUY,60000,0.01BTC,600USDT,0.6USDT\n"
    )
    trader.set_input_files(
        "input[name=file]",
        {"name": "export.csv", "mimeType": "text/csv", "buffer": body.encode()},
    )
    trader.get_by_role("button", name="Look at it", exact=True).click()
    expect(trader.get_by_role("cell", name="Fill", exact=True)).to_be_visible()
    trader.get_by_role("button", name="Take in 1 row", exact=True).click()
    trader.get_by_role("button", name="Undo the whole file").click()
    expect(trader.get_by_role("status").first).to_contain_text("Undone")


def too_wide(page: Page, wide: int) -> list[str]:
    """What reaches over the right edge when the page has had a moment to follow its new size."""
    for _ in range(20):
        if page.evaluate("document.documentElement.scrollWidth") <= wide:
            return []
        page.wait_for_timeout(100)
    reaching: list[str] = page.evaluate(OVER_THE_EDGE, wide)
    return reaching


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_or_has_a_serious_fault(trader: Page, path: str) -> None:
    """Light at a desk, dark on a phone, and what runs over the edge at every width."""
    answer = trader.goto(f"{ADDRESS}{path}")
    assert answer is not None
    show_in(trader, "light")
    assert serious_faults(trader) == []
    for wide, high in WIDTHS:
        trader.set_viewport_size({"width": wide, "height": high})
        assert too_wide(trader, wide) == [], wide
    show_in(trader, "dark")
    assert serious_faults(trader) == []


def show_in(page: Page, theme: str) -> None:
    """In a theme, when what is drawn has followed it."""
    page.evaluate(f"document.documentElement.dataset.theme = {theme!r}")
    page.wait_for_timeout(500)


def test_without_a_network_a_page_says_so(trader: Page) -> None:
    trader.goto(f"{ADDRESS}/trades/")
    trader.evaluate("navigator.serviceWorker.ready.then(() => true)")
    trader.reload()
    trader.context.set_offline(True)
    trader.goto(f"{ADDRESS}/calendar/")
    expect(trader.get_by_role("heading", name="Offline")).to_be_visible()
    trader.context.set_offline(False)
    manifest = trader.request.get(f"{ADDRESS}/manifest.webmanifest").json()
    assert manifest["start_url"] == "/"
    for icon in manifest["icons"]:
        assert trader.request.get(f"{ADDRESS}{icon['src']}").ok


def test_one_press_shows_the_demo_to_a_guest_of_its_own(stranger: Page) -> None:
    stranger.goto(f"{ADDRESS}/accounts/login/")
    stranger.get_by_role("button", name="Explore the demo").click()
    # while the server has just been started one waits on a page that moves; then home comes itself
    expect(stranger.get_by_role("heading", name="You and the flow")).to_be_visible(
        timeout=READ_SECONDS * 1000
    )
    expect(stranger.locator(".banner")).to_contain_text("You are a guest")
    count = stranger.request.get(f"{ADDRESS}/api/trades/summary").json()["count"]
    assert count > 300
    assert stranger.request.get(f"{ADDRESS}/admin/").url != f"{ADDRESS}/admin/"
    stranger.goto(f"{ADDRESS}/settings/")
    expect(stranger.get_by_label("Time zone")).to_have_value("Asia/Seoul")
