"""A tape that a test makes up: whatever bars the page asks for are answered from it."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

from lib.dates import INTERVALS

BANDS = ("<100", "100-1k", "1k-10k", "10k-100k", "100k-1M", ">=1M")
PAGE = 500


def answer_bars(
    page: Page,
    is_there: Callable[[int], bool] = lambda _second: True,
    has_bands: Callable[[int], bool] = lambda _second: True,
) -> None:
    """Bars of every moment up to now for which `is_there` says so (epoch s)."""

    def answer(route: Route) -> None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(route.request.url).query).items()}
        length = INTERVALS[query["interval"]]
        now = int(time.time())
        end = int(query.get("end", query.get("before", (now + length) * 1000))) // 1000
        start = int(query["start"]) // 1000 if "start" in query else end - PAGE * length
        times = range(-(-start // length) * length, min(end, now + 1), length)
        bars = [bar(at, length, now, has_bands(at)) for at in times if is_there(at)]
        route.fulfill(
            content_type="application/json",
            body=json.dumps({"bars": bars, "gaps": [], "interval": query["interval"]}),
        )

    page.route("**/api/cvd/range?*", answer)
    # the real market's live bars would come between
    page.route_web_socket("**/ws/live/", lambda socket: socket.on_message(lambda _text: None))


def bar(at: int, length: int, now: int, has_bands: bool) -> dict[str, Any]:
    """A price that goes up and down by the minute of the hour, more bought than sold."""
    price = 90_000 + at // 60 % 60
    band = {"buy": "60", "sell": "40", "count": 3, "delta": "20", "cvd": "0"}
    return {
        "t": at * 1000,
        "closed": at + length <= now,
        "complete": True,
        "open": f"{price}.00",
        "high": f"{price + 3}.50",
        "low": f"{price - 2}.00",
        "close": f"{price + 1}.25",
        "trades": 18,
        "first_id": 1,
        "last_id": 18,
        "buy": "360",
        "sell": "240",
        "base_buy": "1",
        "base_sell": "1",
        "delta": "120",
        "cvd": "0",
        "bands": dict.fromkeys(BANDS, band) if has_bands else None,
    }
