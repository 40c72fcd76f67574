"""The first picture of a market, and what somebody looks at."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from market.asking import granting
from market.models import Instrument
from market.past import store
from tests.conftest import MakeInstrument
from tests.journal.sync.stage import DemoExchange

pytestmark = pytest.mark.django_db(transaction=True)
DAY = 86_400


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoExchange]:
    with DemoExchange(has_demo=False, has_past=True).running() as running:
        yield running


def test_a_market_has_its_day_in_minutes_and_its_year_in_days_when_it_is_followed(
    exchange: DemoExchange, make_instrument: MakeInstrument, settings: Any
) -> None:
    settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = exchange.http
    settings.WEIGHT_BUDGET_PCT = 100_000
    cache.clear()
    instrument = make_instrument()
    Instrument.objects.update(followed_at=timezone.now())
    now = int(time.time())
    for _ in range(12):  # a busy machine's exchange may not answer in time
        if granting.prepare_charts():
            break
        cache.delete(f"past:later:{instrument.pk}")
    minutes = store.known(instrument.pk, 60, now - DAY, now - 120)
    assert sum(b - a for a, b in minutes) >= DAY - 300
    days = store.known(instrument.pk, DAY, now - 365 * DAY, now)
    assert sum(b - a for a, b in days) >= 360 * DAY
    assert granting.prepare_charts() == 0  # until the seam is due


def test_an_exchange_that_refuses_is_told_and_left_alone(
    exchange: DemoExchange, make_instrument: MakeInstrument, settings: Any
) -> None:
    settings.BINANCE_SPOT_API_URL = exchange.http
    settings.WEIGHT_BUDGET_PCT = 100_000
    cache.clear()
    instrument = make_instrument("GONEUSDT")
    now = int(time.time()) // 60 * 60
    page = (now - 7200, now - 3600)
    cache.set(granting.marker_of(instrument, 60, page), "asked", 30)
    granting.grant(instrument, 60, [page])
    assert "-1121" in cache.get(granting.refusal_key(instrument, 60))
    assert cache.get(granting.marker_of(instrument, 60, page)) is None
    Instrument.objects.update(followed_at=timezone.now())
    assert granting.prepare_charts() == 0
    instrument.refresh_from_db()
    assert instrument.charted_at is None
