"""Who took the other side, from seconds worked by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from market.models import Instrument
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.insight.tapes import NOON, computed, lay

pytestmark = pytest.mark.django_db


@pytest.fixture
def tape(make_instrument: MakeInstrument) -> Instrument:
    """A price of 100 that stands at 99 from the tenth second of each minute on; every second one
    taker order of 5,000 sold, and at the first of each odd minute one of 500 too."""

    def shape(number: int) -> dict[str, Any]:
        sold = {2: 5000} if number % 120 != 60 else {1: 500, 2: 5000}
        return {"close": 100 if number % 60 < 10 else 99, "sold": sold}

    instrument = make_instrument()
    lay(instrument, shape, after=1600)
    return instrument


def make_trades(user: User, count: int = 20) -> None:
    """Each minute one bought at 100 as maker, sold at 100 half a minute later as taker."""
    account = make_account(user)
    fills = []
    for number in range(count):
        at = NOON + timedelta(minutes=number)
        fills.append(
            make_fill(account, 2 * number + 1, "BUY", "100", time=at, is_maker=True, quantity="3")
        )
        fills.append(
            make_fill(
                account,
                2 * number + 2,
                "SELL",
                "100",
                time=at + timedelta(seconds=30),
                quantity="3",
            )
        )
    trades_of(account, *fills)


def test_makers_and_takers_after_each_time(alice: User, tape: Instrument) -> None:
    make_trades(alice)
    answer = computed(alice, "counterparty").answer
    assert answer is not None
    assert (answer["fills"], answer["told"], answer["left_out"]) == (40, 40, 0)
    groups = {(group["role"], group["size"]): group for group in answer["groups"]}
    maker = {mark["horizon"]: mark for mark in groups["maker", ""]["marks"]}
    # a second later still 100, from ten seconds on 99, at the next full minute 100 again
    assert [maker[name]["bps"] for name in ("1s", "10s", "1m", "5m")] == [0, -100, 0, 0]
    assert maker["10s"]["money"] == pytest.approx(-1 * 3 * 20)
    taker = {mark["horizon"]: mark for mark in groups["taker", ""]["marks"]}
    # sold at 100 where the market stood at 99
    assert taker["1s"]["bps"] == pytest.approx(100)
    assert groups["maker", ""]["fee_bps"] == pytest.approx(0.1 / 300 * 10_000)


def test_the_size_of_the_order_that_took_a_maker(alice: User, tape: Instrument) -> None:
    """In odd minutes an order of 500 may have been it too: a fill of 300 fits into both."""
    make_trades(alice)
    answer = computed(alice, "counterparty").answer
    assert answer is not None
    sizes = {
        (group["role"], group["size"]): group["fills"]
        for group in answer["groups"]
        if group["size"]
    }
    assert sizes["maker", "1k-10k"] == 10
    assert answer["no_size"] == 10
    # one's own order of 300
    assert sizes["taker", "100-1k"] == 20


def test_what_cannot_be_told_is_counted_with_its_reason(alice: User, tape: Instrument) -> None:
    account = make_account(alice)
    late = NOON + timedelta(seconds=1600 - 30)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", time=late),
        make_fill(account, 2, "SELL", "100", time=late + timedelta(seconds=5)),
        make_fill(account, 3, "BUY", "5", symbol="XYZUSDT", base="XYZ"),
        make_fill(account, 4, "SELL", "5", symbol="XYZUSDT", base="XYZ"),
    )
    answer = computed(alice, "counterparty").answer
    assert answer is not None
    untold = {(one["horizon"], one["why"]): one["count"] for one in answer["untold"]}
    assert untold == {
        ("", "no_market"): 2,
        ("1m", "not_known"): 2,
        ("5m", "not_known"): 2,
        ("1h", "not_known"): 2,
    }


def test_each_number_leads_to_its_trades(
    alice: User, alices_browser: Client, tape: Instrument
) -> None:
    make_trades(alice)
    computed(alice, "counterparty")
    told = alices_browser.get("/api/insight/counterparty", {"by": "markout", "group": "maker"})
    assert len(told.json()["trades"]) == 20
    page = alices_browser.get("/insight/counterparty/").content.decode()
    assert "by=markout&amp;group=maker" in page
    assert "−100" in page
    assert page.count("<polyline") == 2
    behind = alices_browser.get("/insight/trades/?part=counterparty&by=markout&group=maker")
    assert "n = 20" in behind.content.decode()
    refused = alices_browser.get("/api/insight/counterparty", {"by": "moon"})
    assert refused.status_code == 400
