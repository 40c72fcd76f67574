"""The market page in a real Chromium, against the whole system as `make run` starts it."""

import os
import re
import signal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import (
    ADDRESS,
    PORT,
    Sleeper,
    more,
    processes,
    wait_for_the_future,
    wait_for_the_list,
)
from tests.launcher.test_run import wait_for_ready

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture
def page(page: Page) -> Page:
    page.goto(f"{ADDRESS}/market/BTCUSDT/")
    return page


def test_the_page_is_live_and_its_figures_move(page: Page) -> None:
    expect(page.locator("[data-state]")).to_contain_text("live")
    count = page.locator("[data-bands] tr:nth-child(1) td:nth-child(4)")
    first = count.text_content()
    expect(count).not_to_have_text(first or "")
    expect(page.locator("span[data-price]").first).not_to_have_text("–")


def test_six_tabs_of_one_user_are_all_live(page: Page) -> None:
    """A page takes one socket, however much of it moves."""
    tabs = [page, *(page.context.new_page() for _ in range(5))]
    for tab in tabs[1:]:
        tab.goto(f"{ADDRESS}/market/BTCUSDT/")
    for tab in tabs:
        expect(tab.locator("[data-state]")).to_contain_text("live")


def test_switches_press_and_are_remembered(page: Page) -> None:
    more(page)
    page.get_by_role("button", name="order", exact=True).click()
    page.get_by_role("button", name="5m", exact=True).click()
    page.reload()
    more(page)
    expect(page.get_by_role("button", name="order", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_role("button", name="5m", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    band = page.get_by_role("button", name="100–1k")
    band.click()
    expect(band).to_have_attribute("aria-pressed", "false")


def show(page: Page, part: str) -> None:
    """A phone shows one part of the market's page at a time."""
    page.locator("[data-switch=part]").get_by_role("button", name=part, exact=True).click()


@pytest.mark.parametrize("part", ["Chart", "Book", "Orders", "Watch"])
def test_a_phone_has_no_sideways_scroll(page: Page, part: str) -> None:
    expect(page.locator("[data-bands] tr")).to_have_count(6)
    show(page, part)
    for cell in page.locator("[data-bands] td.number, [data-asks] td.number").all():
        cell.evaluate("(cell) => { cell.textContent = '−9,999,999,999'; }")  # a very lively market
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_big_orders_are_listed_and_chosen_by_size(page: Page) -> None:
    show(page, "Orders")
    rows = page.locator("[data-orders] tr")
    expect(rows.first).to_contain_text(re.compile("buy|sell"))
    page.locator("[data-minimum]").select_option("1000000")
    expect(rows.first).to_contain_text(re.compile("Waiting|[0-9],[0-9]{3},[0-9]{3}"))


def test_the_order_book_moves_and_is_never_crossed(page: Page) -> None:
    show(page, "Book")
    best_ask = page.locator("[data-asks] tr:last-child td:first-child")
    best_bid = page.locator("[data-bids] tr:first-child td:first-child")
    expect(best_ask).to_have_text(re.compile("[0-9]"))
    first = page.locator("[data-bids]").text_content()
    expect(page.locator("[data-bids]")).not_to_have_text(first or "")
    bid, ask = page.evaluate(
        "[...document.querySelectorAll('[data-bids] tr:first-child td:first-child,"
        " [data-asks] tr:last-child td:first-child')].map((cell) => cell.textContent)"
        ".sort()"
    )
    assert float(bid.replace(",", "")) < float(ask.replace(",", ""))
    expect(best_bid).to_be_visible()
    expect(page.locator("[data-imbalance]")).to_have_text(re.compile("%"))


def test_the_future_of_a_symbol_has_its_own_page(page: Page) -> None:
    wait_for_the_future(page)
    page.get_by_role("link", name="USD-M").first.click()
    page.wait_for_url("**/market/usdm/BTCUSDT/")
    expect(page.locator("h1")).to_contain_text("BTCUSDT")
    expect(page.locator("[data-rate]")).to_have_text(re.compile("%"))
    expect(page.locator("[data-bands] tr")).to_have_count(6)
    expect(page.locator("[data-state]")).to_contain_text("live")


def test_studies_are_chosen_and_remembered(page: Page) -> None:
    def choose() -> None:
        more(page)
        page.locator("[data-studies] summary").click()

    wait_for_the_future(page)
    choose()
    with page.expect_response("**/api/indicators?*"):
        for name in ("SMA 20", "RSI 14", "CVD USD-M"):
            with page.expect_response("**/api/market-view"):
                page.get_by_label(name).check()
    page.reload()
    expect(page.locator("[data-studies] [data-count]")).to_have_text("(3)")
    choose()
    for name in ("SMA 20", "RSI 14", "CVD USD-M"):
        with page.expect_response("**/api/market-view"):
            page.get_by_label(name).uncheck()


def test_a_watch_list_is_made_filled_ordered_and_removed(page: Page) -> None:
    wait_for_the_list(page)
    page.goto(f"{ADDRESS}/markets/")
    page.get_by_label("New list").fill("Majors")
    page.get_by_role("button", name="Add", exact=True).click()
    for word, name in (("BTC", "BTCUSDT Spot"), ("ETH", "ETHUSDT USD-M")):
        page.get_by_label("Search a symbol").fill(word)
        page.locator("[data-found] button", has_text=name).click()
        expect(page.locator("[data-rows]")).to_contain_text(name.split()[0])
    rows = page.locator("[data-rows] tr")
    expect(rows.nth(0)).to_contain_text("BTCUSDT")
    rows.nth(1).get_by_role("button", name="Up").click()
    expect(rows.nth(0)).to_contain_text("ETHUSDT")
    expect(rows.nth(0).locator("td").nth(1)).to_have_text(re.compile("[0-9]"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{ADDRESS}/market/BTCUSDT/")
    expect(page.locator(".watch-row").first).to_contain_text("ETHUSDT")
    page.goto(f"{ADDRESS}/markets/")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove list").click()
    expect(page.get_by_role("button", name="Majors")).to_have_count(0)


def test_a_chart_is_a_table_too(page: Page) -> None:
    expect(page.locator("[data-state]")).to_contain_text("live")
    page.get_by_text("Show as table").click()
    table = page.locator("[data-chart-table] table")
    rows = table.locator("tbody tr")
    expect(rows.first.locator("th")).to_have_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:00"))
    expect(table.locator("thead th")).to_have_count(7 + 6)  # and the CVD of each band
    expect(rows.first.locator("td")).to_have_count(6 + 6)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.kills_servers
def test_a_restarted_server_is_found_again_without_a_reload(page: Page) -> None:
    expect(page.locator("[data-state]")).to_contain_text("live")
    webs = processes(b"launcher.web", f"PORT={PORT}".encode())
    assert webs
    for pid in webs:
        os.kill(pid, signal.SIGKILL)
    expect(page.locator("[data-state]")).to_have_text("reconnecting")
    wait_for_ready(40)
    expect(page.locator("[data-state]")).to_contain_text("live")


def test_a_page_that_stood_still_for_90_seconds_has_the_apis_bars_again(asleep: Sleeper) -> None:
    asleep.wake(at_least=90)
    page = asleep.page
    expect(page.locator("[data-state]")).to_contain_text("live")
    page.get_by_role("button", name="order", exact=True).click()
    shown = ""
    for _ in range(60):  # the newest bar moves on while we look
        shown = page.locator("[data-bands] tr:nth-child(2) td:nth-child(4)").inner_text()
        if shown == newest_count(page):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"the page shows {shown}, the API says {newest_count(page)}")


def newest_count(page: Page) -> str:
    """Orders of the second band in the newest minute, as the page writes it."""
    url = f"{ADDRESS}/api/cvd/realtime?symbol=BTCUSDT&minutes=1&unit=order"
    bars = page.request.get(url).json()["bars"]
    return f"{bars[-1]['bands']['100-1k']['count']:,}" if bars else ""
