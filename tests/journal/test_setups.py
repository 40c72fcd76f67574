"""A condition on the flow finds the trades that met it, and the minutes that nobody traded."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from journal.models import Setup, Trade
from journal.selectors.setups import began, occurrences
from lib.dates import to_ms
from market.archive import coverage, partitions, seconds
from market.archive.coverage import Stretch
from market.flow.bars import Bar
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.test_stamping import bar

pytestmark = pytest.mark.django_db


def minute(number: int, buy: int, sell: int) -> Bar:
    made = Bar(60 * number)
    made.close = 100 * 10**8
    made.quote_buy, made.quote_sell = buy, sell
    made.first_id = made.last_id = number
    return made


def test_an_occurrence_begins_once_and_never_across_a_gap() -> None:
    bars = [
        minute(0, 50, 50),
        minute(1, 80, 20),
        minute(2, 90, 10),
        minute(3, 50, 50),
        minute(5, 90, 10),
    ]
    found = list(began("X", bars, "LONG", D("0.5")))
    assert [(item.first_id, item.share) for item in found] == [(1, D("0.6"))]
    assert [item.first_id for item in began("X", bars, "SHORT", D("0.5"))] == []


def test_taken_and_missed_are_told_apart(
    alice: User, alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    instrument = make_instrument()
    now = timezone.now().replace(second=0, microsecond=0)
    start = now - timedelta(hours=2)
    partitions.prepare(start, now)
    rows = []
    for number in range(7200):
        at = start + timedelta(seconds=number)
        is_strong = number // 60 in {40, 80}  # two minutes in which buyers take nearly all
        rows.append(bar(at, number + 1, low=100, high=100, buy=900 if is_strong else 100, sell=100))
    seconds.save(instrument.pk, instrument.band_set, rows, None)
    coverage.add(instrument.pk, [Stretch(1, 7200, to_ms(start), to_ms(now))])
    setup = Setup.objects.create(
        user=alice, name="with force", conditions={"direction": "LONG", "least_share": "0.5"}
    )
    account = make_account(alice)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", time=start + timedelta(minutes=41, seconds=5)),
        make_fill(account, 2, "SELL", "101", time=start + timedelta(minutes=42)),
    )
    Trade.objects.update(flow="with", flow_share=D("0.8"))
    found = occurrences(alice, setup)
    assert found is not None
    assert found.taken.count() == 1
    assert [item.time for item in found.missed] == [start + timedelta(minutes=81)]
    answer = alices_browser.get("/api/setups").json()["rows"][0]
    assert len(answer["taken"]) == len(answer["missed"]) == 1
    assert "with force" in alices_browser.get("/reports/setups/").content.decode()


def test_a_setup_without_a_condition_has_no_occurrences(
    alice: User, alices_browser: Client
) -> None:
    assert occurrences(alice, Setup(user=alice, name="x")) is None
    assert alices_browser.get("/reports/setups/").status_code == 200
