"""Every page: looks, language, keys, phones, and those who use it otherwise."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stage import ADDRESS, open_menu, serious_faults, wait_for_the_future

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_filters_are_a_sheet_on_a_phone(page: Page) -> None:
    page.goto(f"{ADDRESS}/trades/")
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("Direction").select_option("LONG")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.wait_for_url("**direction=LONG**")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.get_by_role("link", name="Filters (1)")).to_be_visible()


def test_the_looks_are_remembered(page: Page) -> None:
    page.goto(f"{ADDRESS}/markets/")
    open_menu(page)
    page.get_by_label("Colours of up and down").select_option("blue")
    page.get_by_label("Theme", exact=True).select_option("dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(11, 14, 19)"
    up = "getComputedStyle(document.documentElement).getPropertyValue('--up').trim()"
    assert page.evaluate(up) == "#5aa9ff"
    open_menu(page)
    page.get_by_label("Theme", exact=True).select_option("light")
    assert page.evaluate(ground) == "rgb(243, 245, 248)"
    assert page.evaluate(up) == "#1567c8"


@pytest.mark.parametrize("theme", ("light", "dark"))
def test_the_apis_page_can_be_read_in_both_themes(page: Page, theme: str) -> None:
    page.goto(f"{ADDRESS}/api/docs/")
    page.evaluate(f"document.documentElement.dataset.theme = {theme!r}")
    operations = page.locator(".opblock-summary-control")
    operations.first.click()
    expect(page.locator(".opblock-body").first).to_be_visible()
    page.wait_for_timeout(500)
    assert serious_faults(page) == []


def open_by(page: Page, key: str, field: Locator) -> None:
    """Until the page's scripts hear keys: a choice before it may have loaded it anew."""
    expect(field).to_be_hidden()
    for _ in range(20):
        page.keyboard.press(key)
        try:
            expect(field).to_be_visible(timeout=1000)
        except AssertionError:
            continue
        return
    pytest.fail(f"{key} opens nothing")


def test_everything_is_found_in_one_field(page: Page) -> None:
    wait_for_the_future(page)
    page.goto(f"{ADDRESS}/")
    field = page.get_by_role("combobox", name="Page, symbol, trade number or action")
    open_by(page, "Control+k", field)
    expect(field).to_be_focused()
    found = page.locator("#command-list [role=option]")
    expect(found.filter(has_text="Calendar")).to_be_visible()
    assert serious_faults(page) == []
    field.fill("dark theme")
    expect(found).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    open_by(page, "/", field)
    field.fill("ethusdt")
    market = found.filter(has_text="ETHUSDT USD-M")
    expect(market).to_be_visible()
    market.click()
    expect(page.locator("h1")).to_contain_text("ETHUSDT")
    assert page.url.endswith("/market/usdm/ETHUSDT/")
    open_by(page, "Control+k", field)
    expect(found.first).to_contain_text("ETHUSDT USD-M")  # where one was last comes first
    field.fill("no such thing")
    expect(page.get_by_text("Nothing found for")).to_be_visible()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()


def test_keys_are_listed_and_turned_off(page: Page) -> None:
    page.goto(f"{ADDRESS}/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard keys")).to_be_visible()
    assert serious_faults(page) == []
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.keyboard.press("u")  # nothing fires behind a dialog
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard keys")).to_be_hidden()
    assert not [url for url in sent if "/settings/display/" in url]
    for key in ("g", "c"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("/calendar/$"))
    open_menu(page)
    page.get_by_role("combobox", name="Keyboard keys").select_option("off")
    page.reload()
    page.keyboard.press("?")
    for key in ("g", "h"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert page.url.endswith("/calendar/")
    expect(page.get_by_role("dialog", name="Keyboard keys")).to_be_hidden()


def test_the_language_is_chosen_and_remembered(page: Page) -> None:
    page.goto(f"{ADDRESS}/markets/")
    open_menu(page)
    page.get_by_label("Language", exact=True).select_option("ko")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_label("언어, 화면, 계정").click()
    expect(page.get_by_role("button", name="로그아웃")).to_be_visible()
    page.get_by_label("언어", exact=True).select_option("en")
    open_menu(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
