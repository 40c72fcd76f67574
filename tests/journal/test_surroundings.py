"""The market around old fills, fetched by trade ids."""

import asyncio
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from channels.db import database_sync_to_async as in_database
from django.core.cache import cache
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import Fill, FillFlow
from journal.services import surroundings
from lib.dates import from_seconds
from market import backfill, reading
from market.archive import seconds as archive
from market.binance.errors import ExchangeError
from market.models import CoveredSpan, Instrument, Retention
from tests.conftest import MakeInstrument, RunningSimulator
from tests.journal.accounts import make_account, make_fill


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_stretch_of_the_past_is_the_exchanges_to_the_last_digit(
    simulator: RunningSimulator, make_instrument: MakeInstrument, settings: Any, market: str
) -> None:
    settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = simulator.http
    if market == "usdm":
        simulator.exchange.list_generated("BTCUSDT", None, seed=8, pace=10.0, market="usdm")
    row: Instrument = await in_database(make_instrument)("BTCUSDT", market=market)
    begun = int(time.time())
    await asyncio.sleep(7)
    start, end = begun + 2, begun + 5
    assert await backfill.fetch(row, start * 1000, end * 1000)
    query = f"symbol=BTCUSDT&market={market}&seconds=1&start={start}000&end={end}000"
    url = f"{simulator.http}/simulator/truth?{query}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        expected = {int(at) // 1000: sums for at, sums in (await answer.json()).items()}
    bars = await in_database(archive.load)(row.pk, begun, end + 10)
    assert sorted(bars) == sorted(expected)
    for at, bar in bars.items():
        sums = expected[at]
        assert (bar.trades, bar.first_id, bar.last_id) == (
            sums["trades"], sums["first_id"], sums["last_id"],
        )  # fmt: skip
        assert Decimal(bar.quote_buy) / 10**16 == Decimal(sums["buy"])
        assert sum(bar.order[:6]) == bar.quote_buy
        assert bar.lacks_trade_unit is (market == "usdm")
    assert await in_database(reading.covered_times)(row) == [(start * 1000, end * 1000)]
    # again it changes nothing, and what the exchange does not know is not claimed
    assert await backfill.fetch(row, start * 1000, end * 1000)
    assert not await backfill.fetch(row, (begun - 600) * 1000, (begun - 300) * 1000)
    assert not await backfill.fetch(row, start * 1000, (begun + 3600) * 1000)
    assert await in_database(CoveredSpan.objects.count)() == 1


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    cache.clear()
    made: ExchangeAccount = make_account(alice)
    now = timezone.now()
    for number, age in enumerate((timedelta(hours=1), timedelta(hours=2), timedelta(days=40)), 1):
        make_fill(made, number, "BUY", "100", time=now - age).save()
    make_fill(made, 9, "BUY", "1", time=now - timedelta(days=3), market="usdm").save()
    return made


@pytest.mark.django_db
def test_what_is_missing_is_asked_for_newest_first(
    account: ExchangeAccount, settings: Any, make_instrument: MakeInstrument
) -> None:
    now = time.time() * 1000
    ages = [round((now - item.end_ms) / 3_600_000) for item in surroundings.missing()]
    assert ages == [1, 2]  # futures have forgotten theirs, and 40 days are too old
    assert all(item.end_ms - item.start_ms == 900_000 for item in surroundings.missing())
    newest = Fill.objects.filter(market="spot").order_by("-time")[0]
    FillFlow.objects.create(fill=newest, is_covered=True, stamped_at=timezone.now())
    assert len(list(surroundings.missing())) == 1
    row = make_instrument()
    CoveredSpan.objects.create(
        instrument=row, first_id=1, last_id=2, from_ms=now - 7_300_000, to_ms=now - 7_100_000
    )
    assert list(surroundings.missing()) == []
    Retention.objects.update_or_create(grain="1s", instrument=None, defaults={"days": 2})
    FillFlow.objects.all().delete()
    assert len(list(surroundings.missing())) == 1
    settings.FLOW_BACKFILL_DAYS = 0
    assert list(surroundings.missing()) == []


@pytest.mark.django_db
def test_a_round_asks_once_and_goes_on_after_a_failure(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def fetch(instrument: Instrument, start_ms: int, end_ms: int) -> bool:
        asked.append(end_ms)
        if len(asked) == 2:
            raise ExchangeError("away")
        return True

    monkeypatch.setattr(backfill, "fetch", fetch)
    assert surroundings.fetch_round() == 1
    assert surroundings.fetch_round() == 1  # the one that failed, and not the first one again
    assert surroundings.fetch_round() == 0
    assert len(asked) == 3
    assert from_seconds(asked[0] // 1000) > from_seconds(asked[1] // 1000)
