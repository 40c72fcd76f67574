"""What the charts draw and where they stand, in a real Chromium over made-up bars."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.made_bars import answer_bars
from tests.browser.stage import ADDRESS, wait_for_the_list

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
MINUTE = 60
# Columns of a pane (px of its canvas) in which a colour of the page's tokens is drawn.
COLUMNS = """([pane, name]) => {
  const canvas = document.querySelectorAll('[data-chart] tr:has(canvas)')[pane]
    .querySelector('td:nth-child(2) canvas');
  const token = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const wanted = [1, 3, 5].map((at) => parseInt(token.slice(at, at + 2), 16));
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const columns = [];
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < height; y += 1) {
      const at = 4 * (y * width + x);
      if (wanted.every((part, channel) => Math.abs(data[at + channel] - part) < 12)) {
        columns.push(x);
        break;
      }
    }
  }
  return [columns, width];
}"""


@pytest.fixture
def page(desk: Page) -> Page:
    """Charts are looked at on a laptop."""
    return desk


def open_market(page: Page, at: int | None = None, interval: str = "1m") -> None:
    place = f"&at={at * 1000}" if at else ""
    page.goto(f"{ADDRESS}/market/BTCUSDT/?interval={interval}{place}")
    expect(page.locator("[data-loading]")).to_be_hidden()
    expect(page.locator(".legend").first).to_contain_text("BTCUSDT")


def times_in_view(
    page: Page, are_wanted: Callable[[list[str]], bool] = lambda _times: True
) -> list[str]:
    """As the table beside the chart tells them, newest first; it follows within a second, on a busy
    machine within some. What it tells in the end where that is not what is wanted."""
    if page.locator("[data-chart-table]").get_attribute("open") is None:
        page.locator("[data-chart-table] summary").click()
    times: list[str] = []
    for _ in range(20):
        page.wait_for_timeout(1_500)
        times = page.locator("[data-chart-table] tbody th").all_inner_texts()
        if are_wanted(times):
            break
    return times


def shown(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))


def test_nothing_is_drawn_where_nothing_is_known(page: Page) -> None:
    now = int(time.time()) // MINUTE * MINUTE
    hole = range(now - 60 * MINUTE, now - 30 * MINUTE)
    answer_bars(page, is_there=lambda at: at not in hole)
    open_market(page)
    page.wait_for_timeout(500)
    for pane, colour in ((1, "--text"), (2, "--band-5")):
        columns, width = page.evaluate(COLUMNS, [pane, colour])
        steps = [b - a for a, b in zip(columns, columns[1:], strict=False)]
        # one hole of thirty bars, about seven pixels each, and none elsewhere
        assert max(steps) > 150, (pane, max(steps))
        assert sorted(steps)[-2] < 10
        assert columns[0] < width / 4
    expect(page.locator("[data-gaps]")).to_contain_text("No data")


def test_bars_of_which_only_the_total_is_known_break_the_bands_alone(page: Page) -> None:
    now = int(time.time()) // MINUTE * MINUTE
    answer_bars(page, has_bands=lambda at: at >= now - 30 * MINUTE)
    open_market(page)
    page.wait_for_timeout(500)
    total, width = page.evaluate(COLUMNS, [1, "--text"])
    bands, _ = page.evaluate(COLUMNS, [2, "--band-5"])
    assert total[0] < width / 4
    assert bands[0] > width / 2
    expect(page.locator("[data-gaps]")).to_be_empty()


def test_the_interval_changes_and_the_place_in_time_stays(page: Page) -> None:
    answer_bars(page)
    moment = int(time.time()) // 3600 * 3600 - 3 * 86_400
    open_market(page, at=moment)
    first = times_in_view(page, lambda times: shown(moment) in times)
    assert shown(moment) in first
    page.get_by_role("button", name="5m", exact=True).click()
    # five times as long a stretch, around the same moment
    wide = times_in_view(page, lambda times: bool(times) and times[-1] < first[-1])
    assert shown(moment) in wide
    assert wide[-1] < first[-1] <= first[0] < wide[0]
    page.get_by_role("button", name="1m", exact=True).click()
    assert times_in_view(page, lambda times: times == first) == first


def is_recent(times: list[str]) -> bool:
    return bool(times) and times[0] >= shown(int(time.time()) - 3 * MINUTE)


def test_one_key_and_one_button_go_to_now(page: Page) -> None:
    answer_bars(page)
    moment = int(time.time()) - 3 * 86_400
    for how in ("key", "button"):
        open_market(page, at=moment)
        button = page.get_by_role("button", name="Now", exact=True)
        expect(button).to_be_visible()
        if how == "key":
            page.keyboard.press("End")
        else:
            button.click()
        expect(button).to_be_hidden()
        times = times_in_view(page, is_recent)
        assert is_recent(times)


def test_scrolling_back_reads_older_bars(page: Page) -> None:
    answer_bars(page)
    open_market(page)
    oldest = times_in_view(page)[-1]
    box = page.locator("[data-chart]").bounding_box()
    assert box
    first_page = shown(int(time.time()) - 500 * MINUTE)
    for _round in range(4):  # a busy browser takes less of each pull
        for _ in range(9):
            page.mouse.move(box["x"] + 100, box["y"] + 150)
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] - 150, box["y"] + 150, steps=4)
            page.mouse.up()
        before = times_in_view(page)[-1]
        if before < first_page:
            break
    assert before < first_page, "older than the first page"
    assert before < oldest
    expect(page.get_by_role("button", name="Now", exact=True)).to_be_visible()


def test_the_legend_tells_what_is_under_the_crosshair(page: Page) -> None:
    answer_bars(page)
    open_market(page)
    box = page.locator("[data-chart]").bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 120)
    legend = page.locator("[data-legend=price]")
    expect(legend).to_contain_text(
        re.compile(r"O 90,0\d\d\.\d\d.*H .*L .*C 90,0\d\d\.\d\d.*Δ \+120")
    )
    expect(legend.locator("time")).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(page.locator("[data-legend=total]")).to_contain_text("CVD total")
    expect(page.locator("[data-legend=total] .figure")).to_have_text(re.compile(r"\+[\d.]+k?"))
    chips = page.locator("[data-chips] .chip")
    expect(chips).to_have_count(6)
    for chip in chips.all():
        expect(chip.locator(".figure")).to_have_text(re.compile(r"\+[\d.]+k?"))


def test_the_legend_tells_the_last_bar_in_view_without_a_crosshair(page: Page) -> None:
    answer_bars(page)
    middle = int(time.time()) // MINUTE * MINUTE - 300 * MINUTE
    open_market(page, at=middle)
    times = times_in_view(page)
    minute = int(times[0][14:16])
    assert times[0] < shown(int(time.time()) - 60 * MINUTE)
    close = f"C {90_000 + minute + 1:,}.25"
    expect(page.locator("[data-legend=price]")).to_contain_text(close)


def test_nothing_is_told_before_the_bars_are_there(page: Page) -> None:
    page.route("**/api/cvd/range?*", lambda route: None)  # never answered
    page.route("**/ws/live/", lambda route: route.abort())
    page.goto(f"{ADDRESS}/market/BTCUSDT/")
    expect(page.locator("[data-loading]")).to_be_visible()
    expect(page.locator(".price[data-price]")).to_have_text(re.compile("–|[0-9]"))
    expect(page.locator(".legend").first).to_be_hidden()
    columns, _ = page.evaluate(COLUMNS, [1, "--text"])
    assert columns == []


def test_a_level_stays_and_is_taken_away(page: Page) -> None:
    answer_bars(page)
    open_market(page)
    page.get_by_role("button", name="Level", exact=True).click()
    page.locator("[data-chart]").click(position={"x": 300, "y": 150})
    away = page.get_by_role("button", name="Take all levels away")
    expect(away).to_be_visible()
    page.reload()
    expect(away).to_be_visible()
    away.click()
    expect(away).to_be_hidden()


def test_the_picture_is_a_png(page: Page) -> None:
    answer_bars(page)
    open_market(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save a picture").click()
    assert re.fullmatch(r"BTCUSDT-[\d-]+\.png", download.value.suggested_filename)
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_another_symbol_is_one_press_away(page: Page) -> None:
    wait_for_the_list(page)
    open_market(page)
    page.locator("[data-switcher] summary").click()
    page.get_by_label("Search a symbol").fill("ETH")
    page.locator("[data-switcher] a", has_text="ETHUSDT").first.click()
    expect(page.locator("h1")).to_contain_text("ETHUSDT")


def test_the_screener_sorts_and_chooses(page: Page) -> None:
    page.goto(f"{ADDRESS}/markets/")
    rows = page.locator("[data-rows] tr")
    expect(rows.first.locator("td").nth(1)).to_have_text(re.compile("[0-9]"))
    page.get_by_role("button", name="Price", exact=True).click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Price")
    prices = [
        float(text.replace(",", "")) for text in rows.locator("td:nth-child(2)").all_inner_texts()
    ]
    assert prices == sorted(prices, reverse=True)
    page.get_by_label("Name contains").fill("nothing of that name")
    expect(rows).to_have_text(["No market matches these filters."])
