"""Filters by numbers: what a trade made, its R, how long it was held, the hour it was opened at."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import BadFilter, TradeFilter
from journal.models import Trade
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.sums import sums
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
FREE = {"fee": D(0)}


@pytest.fixture
def trades(alice: User) -> list[int]:
    """Three long ones, an hour apart: +10 held 1 minute with a stop 5 away (2 R), -20 held 90
    minutes with a stop 20 away (-1 R), +30 held 10 minutes without one."""
    account = make_account(alice)
    fills = []
    for number, (exit_price, minutes) in enumerate((("110", 1), ("80", 90), ("130", 10))):
        at = START + timedelta(hours=3 * number)
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100", time=at, **FREE))
        left = at + timedelta(minutes=minutes)
        fills.append(make_fill(account, 10 * number + 2, "SELL", exit_price, time=left, **FREE))
    trades_of(account, *fills)
    rows = list(Trade.objects.order_by("opened_at"))
    Trade.objects.filter(pk=rows[0].pk).update(placed_stop=D(95))
    Trade.objects.filter(pk=rows[1].pk).update(placed_stop=D(80))
    return [row.pk for row in rows]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"net_min": "10"}, [0, 2]),
        ({"net_min": "10", "net_max": "29.99"}, [0]),
        ({"net_max": "\N{MINUS SIGN}1"}, [1]),
        ({"r_min": "0"}, [0]),
        ({"r_max": "-1"}, [1]),
        ({"r_min": "-5", "r_max": "5"}, [0, 1]),
        ({"held_min": "5"}, [1, 2]),
        ({"held_min": "5", "held_max": "60"}, [2]),
        ({"net_min": "-100", "held_max": "1"}, [0]),
    ],
)
def test_only_what_lies_within_is_left(
    alice: User, trades: list[int], asked: dict[str, str], expected: list[int]
) -> None:
    chosen = preferences_of(alice)
    matching = TradeFilter.parse(asked).apply(alice, chosen).order_by("opened_at")
    assert list(matching.values_list("pk", flat=True)) == [trades[at] for at in expected]


def test_hours_are_the_users_and_go_over_midnight(alice: User, trades: list[int]) -> None:
    chosen = preferences_of(alice)
    chosen.zone = "Asia/Seoul"
    hours = [(START + timedelta(hours=3 * number + 9)).hour for number in range(3)]

    def matching(low: int, high: int) -> list[int]:
        trade_filter = TradeFilter.parse({"hour_min": str(low), "hour_max": str(high)})
        rows = trade_filter.apply(alice, chosen).order_by("opened_at")
        return [trades.index(pk) for pk in rows.values_list("pk", flat=True)]

    assert matching(hours[1], hours[1]) == [1]
    around = matching((hours[2] - 1) % 24, (hours[0] + 24 + 1) % 24)
    assert around == [at for at, hour in enumerate(hours) if hour != hours[1]]


def test_sums_and_reports_in_every_unit_follow_the_ranges(
    alices_browser: Client, alice: User, trades: list[int]
) -> None:
    for unit in ("money", "percent", "risk"):
        chosen = preferences_of(alice)
        chosen.unit = unit
        told = sums(Scope(alice, TradeFilter.parse({"r_min": "-5"}), chosen))
        assert (told.count, told.net) == (2, D(-10))
    query = "r_min=-5&net_max=15"
    summary = alices_browser.get(f"/api/trades/summary?{query}").json()
    assert summary["count"] == 2
    for path in ("/", "/trades/", "/reports/?by=hour", "/reports/compare/", "/insight/"):
        joiner = "&" if "?" in path else "?"
        answer = alices_browser.get(f"{path}{joiner}{query}")
        assert answer.status_code == 200, path
    page = alices_browser.get(f"/trades/?{query}").content.decode()
    assert "R at least: -5" in page
    assert 'name="net_max"' in page
    assert 'href="?r_min=-5"' in page, "a chip takes its own filter away alone"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"net_min": "much"}, "net_min: expected a number"),
        ({"net_min": "1e999"}, "net_min: expected a number"),
        ({"held_min": "-1"}, "held_min: expected a number from 0"),
        ({"hour_min": "24"}, "hour_min: expected a number from 0 to 23"),
        ({"hour_min": "1.5"}, "hour_min: expected a number"),
        ({"r_min": "2", "r_max": "1"}, "r_max: expected a number not below 2"),
    ],
)
def test_what_is_no_range_is_told(
    alices_browser: Client, trades: list[int], asked: dict[str, str], words: str
) -> None:
    with pytest.raises(BadFilter, match=words):
        TradeFilter.parse(asked)
    assert alices_browser.get("/api/trades", asked).status_code == 400
