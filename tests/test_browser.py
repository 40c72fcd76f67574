"""The market page in a real Chromium, against the whole system as `make run` starts it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.launcher.test_run import ROOT, environment, wait_for, wait_for_ready

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
expect.set_options(timeout=60_000)  # a whole system and a browser share the machine
PORT = int(environment(Path("x"))["PORT"])
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


@pytest.fixture(scope="module")
def password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("browser")
    log = data / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "launcher", "run"],
            cwd=ROOT,
            env=environment(data / "data"),
            stdout=output,
            stderr=output,
        )
    wait_for(log, "Tapelog is up at", 200)
    yield (data / "data" / "secrets" / "demo-password").read_text()
    process.send_signal(signal.SIGINT)
    process.wait(120)


@pytest.fixture(scope="module")
def signed_in(password: str) -> Iterator[tuple[Browser, Any]]:
    """A browser, and the cookies of somebody who has signed in with it."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        opened = browser.new_page()
        opened.goto(f"http://127.0.0.1:{PORT}/accounts/login/")
        opened.get_by_label("Login").fill("demo")
        opened.get_by_label("Password").fill(password)
        opened.get_by_role("button", name="Sign in", exact=True).click()
        opened.wait_for_url(f"http://127.0.0.1:{PORT}/")
        yield browser, opened.context.storage_state()
        browser.close()


@pytest.fixture
def page(signed_in: tuple[Browser, Any]) -> Iterator[Page]:
    """Fresh but for the cookies, on the market's page."""
    browser, state = signed_in
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, storage_state=state, reduced_motion="reduce"
    )
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(f"http://127.0.0.1:{PORT}/market/BTCUSDT/")
    yield opened
    context.close()
    unexpected = [
        text for text in faults if "WebSocket" not in text and "ERR_CONNECTION" not in text
    ]
    assert not unexpected


def test_the_page_is_live_and_its_figures_move(page: Page) -> None:
    expect(page.locator("[data-state]")).to_contain_text("live")
    count = page.locator("[data-bands] tr:nth-child(1) td:nth-child(4)")
    first = count.text_content()
    expect(count).not_to_have_text(first or "")
    expect(page.locator("span[data-price]").first).not_to_have_text("–")


def more(page: Page) -> None:
    """What a phone shows of the chart's controls only when asked."""
    page.get_by_role("button", name="More controls").click()


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


@pytest.mark.parametrize("part", ["Chart", "Book", "Orders", "Watch"])
def test_a_phone_has_no_sideways_scroll(page: Page, part: str) -> None:
    expect(page.locator("[data-bands] tr")).to_have_count(6)
    show(page, part)
    for cell in page.locator("[data-bands] td.number, [data-asks] td.number").all():
        cell.evaluate("(cell) => { cell.textContent = '−9,999,999,999'; }")  # a very lively market
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("path", ["/", "/trades/", "/calendar/", "/reports/", "/portfolio/"])
def test_the_journal_has_no_sideways_scroll_on_a_phone_either(page: Page, path: str) -> None:
    page.goto(f"http://127.0.0.1:{PORT}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_filters_are_a_sheet_on_a_phone(page: Page) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/trades/")
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("Direction").select_option("LONG")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.wait_for_url("**direction=LONG**")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.get_by_role("link", name="Filters (1)")).to_be_visible()


def show(page: Page, part: str) -> None:
    """A phone shows one part of the market's page at a time."""
    page.locator("[data-switch=part]").get_by_role("button", name=part, exact=True).click()


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


def wait_for_the_future(page: Page) -> None:
    """It is followed as soon as the exchange's list has come."""
    deadline = time.monotonic() + 60
    address = f"http://127.0.0.1:{PORT}/api/markets"
    while "usdm" not in {row["market"] for row in page.request.get(address).json()["rows"]}:
        assert time.monotonic() < deadline, "no future is followed"
        page.wait_for_timeout(500)
    page.reload()


def test_the_future_of_a_symbol_has_its_own_page(page: Page) -> None:
    wait_for_the_future(page)
    page.get_by_role("link", name="USD-M").first.click()
    expect(page.locator("h1")).to_have_text("BTCUSDT")
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
    page.goto(f"http://127.0.0.1:{PORT}/markets/")
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
    page.goto(f"http://127.0.0.1:{PORT}/market/BTCUSDT/")
    expect(page.locator(".watch-row").first).to_contain_text("ETHUSDT")
    page.goto(f"http://127.0.0.1:{PORT}/markets/")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove list").click()
    expect(page.get_by_role("button", name="Majors")).to_have_count(0)


def open_menu(page: Page) -> None:
    page.get_by_label("Language, looks, account").click()


def test_the_looks_are_remembered(page: Page) -> None:
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
    page.goto(f"http://127.0.0.1:{PORT}/")
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
    page.goto(f"http://127.0.0.1:{PORT}/")
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


def test_a_chart_is_a_table_too(page: Page) -> None:
    expect(page.locator("[data-state]")).to_contain_text("live")
    page.get_by_text("Show as table").click()
    table = page.locator("[data-chart-table] table")
    rows = table.locator("tbody tr")
    expect(rows.first.locator("th")).to_have_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:00"))
    expect(table.locator("thead th")).to_have_count(7 + 6)  # and the CVD of each band
    expect(rows.first.locator("td")).to_have_count(6 + 6)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_language_is_chosen_and_remembered(page: Page) -> None:
    open_menu(page)
    page.get_by_label("Language", exact=True).select_option("ko")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_label("언어, 화면, 계정").click()
    expect(page.get_by_role("button", name="로그아웃")).to_be_visible()
    page.get_by_label("언어", exact=True).select_option("en")
    open_menu(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def serious_faults(page: Page) -> list[tuple[str, list[str]]]:
    """By axe-core's rules of WCAG 2.1 A and AA; its code comes through npm's lock file."""
    page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })")
    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/market/BTCUSDT/",
        "/market/usdm/BTCUSDT/",
        "/markets/",
        "/status/",
        "/account/tokens/",
        "/account/exchange/",
        "/account/exchange/connect/",
        "/staff/imports/",
        "/trades/",
        "/calendar/",
        "/reports/",
        "/reports/distribution/",
        "/reports/trend/",
        "/reports/?by=hour&across=weekday",
        "/calendar/2026-11-01/",
        "/portfolio/",
        "/settings/",
    ],
)
def test_a_page_has_no_serious_fault_for_those_who_use_it_otherwise(page: Page, path: str) -> None:
    page.goto(f"http://127.0.0.1:{PORT}{path}")
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = {theme!r}")
        assert serious_faults(page) == [], theme


def test_an_account_is_connected_checked_and_forgotten(page: Page) -> None:
    address = f"http://127.0.0.1:{PORT}"
    known = page.request.get(f"http://127.0.0.1:{PORT + 1}/simulator/accounts").json()
    demo = next(item for item in known if item["name"] == "demo")
    key = demo["keys"][0]
    page.goto(f"{address}/account/exchange/connect/")
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
    address = f"http://127.0.0.1:{PORT}"
    deadline = time.monotonic() + 240
    while page.request.get(f"{address}/api/trades/summary").json()["count"] < 50:
        assert time.monotonic() < deadline, "the demo's year was not read"
        page.wait_for_timeout(500)
    page.goto(f"{address}/")
    onward = page.get_by_role("button", name="Go on without waiting")
    expect(onward.or_(page.locator(".card-equity")).first).to_be_visible()
    if onward.is_visible():
        onward.click()
    expect(page.locator(".card-equity svg.picture").first).to_be_visible()
    page.goto(f"{address}/trades/")
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
    page.goto(f"{address}/trades/?tag=patience")
    expect(page.locator("table.trades .cell-symbol a")).to_have_count(1)
    page.keyboard.press("h")
    expect(page.locator(".strip")).to_contain_text("•••")
    page.keyboard.press("h")
    expect(page.locator(".strip")).not_to_contain_text("•••")


def test_a_restarted_server_is_found_again_without_a_reload(page: Page) -> None:
    expect(page.locator("[data-state]")).to_contain_text("live")
    webs = processes(b"launcher.web", f"PORT={PORT}".encode())
    assert webs
    for pid in webs:
        os.kill(pid, signal.SIGKILL)
    expect(page.locator("[data-state]")).to_have_text("reconnecting")
    wait_for_ready(40)
    expect(page.locator("[data-state]")).to_contain_text("live")


def test_a_page_that_stood_still_for_90_seconds_has_the_apis_bars_again(page: Page) -> None:
    """Its renderer is stopped, as a sleeping laptop or a hidden tab stops it."""
    expect(page.locator("[data-state]")).to_contain_text("live")
    renderers = processes(b"--type=renderer", b"")
    for pid in renderers:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(90)
    for pid in renderers:
        os.kill(pid, signal.SIGCONT)
    expect(page.locator("[data-state]")).to_contain_text("live")
    more(page)
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
    url = f"http://127.0.0.1:{PORT}/api/cvd/realtime?symbol=BTCUSDT&minutes=1&unit=order"
    bars = page.request.get(url).json()["bars"]
    return f"{bars[-1]['bands']['100-1k']['count']:,}" if bars else ""


def processes(word: bytes, setting: bytes) -> list[int]:
    """Ids of processes with a word in their command and a setting in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, given = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if word in command and setting in given:
            found.append(int(folder.name))
    return found
