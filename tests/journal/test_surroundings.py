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
from redis import Redis

from accounts.models import ExchangeAccount, User
from journal.models import Fill, FillFlow
from journal.services import stamping, surroundings
from lib.dates import from_seconds
from market.archive import seconds as archive
from market.binance.errors import ExchangeError, MustWait, TryAgain
from market.binance.governor import SHARES
from market.collector import backfill
from market.flow.bands import SETS
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade
from market.models import CoveredSpan, Instrument, Retention
from market.selectors import reading
from market.services import following
from tests.conftest import MakeInstrument, RunningSimulator
from tests.journal.accounts import make_account, make_fill


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_stretch_of_the_past_is_the_exchanges_to_the_last_digit(
    simulator: RunningSimulator,
    make_instrument: MakeInstrument,
    settings: Any,
    market: str,
    empty_redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SHARES, "past", 1.0)
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
            sums["trades"],
            sums["first_id"],
            sums["last_id"],
        )
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
    assert all(item.end_ms - item.start_ms == 905_000 for item in surroundings.missing())
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

    async def fetch(instrument: Instrument, start_ms: int, end_ms: int, stop: Any) -> bool:
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


@pytest.mark.django_db
def test_what_was_fetched_is_enough_to_stamp_its_fill_for_good(account: ExchangeAccount) -> None:
    newest = Fill.objects.filter(market="spot").order_by("-time")[0]
    Fill.objects.exclude(pk=newest.pk).delete()
    newest.time = timezone.now().replace(microsecond=400_000) - timedelta(days=2)
    newest.save()
    [stretch] = surroundings.missing()
    row = following.known(stretch.tape)
    CoveredSpan.objects.create(
        instrument=row, first_id=1, last_id=2, from_ms=stretch.start_ms, to_ms=stretch.end_ms
    )
    stamping.stamp_due()
    assert FillFlow.objects.get(fill=newest).is_final
    assert list(surroundings.missing()) == []


def test_the_ids_of_a_stretch_end_before_the_first_trade_behind_it() -> None:
    past = backfill.Past(TapeBuilder(SETS["usd-1"], 1000), 0, 900_000, 100, 99)
    times = (899_000, 899_999, 900_400, 899_998, 900_700, 902_000)
    past.take([Trade(100 + n, 10**8, 10**8, at, False) for n, at in enumerate(times)])
    assert (past.last_id, past.is_whole) == (101, True)
    assert sum(bar.trades for bars in past.builder.held.values() for bar in bars.values()) == 3


async def test_a_fetch_waits_for_room_and_stops_when_told() -> None:
    class Busy:
        calls = 0

        async def trades_from(self, symbol: str, first_id: int, kind: str) -> list[Trade]:
            self.calls += 1
            if self.calls == 1:
                raise MustWait(0.5, "no weight left")
            return []

    rest: Any = Busy()
    assert await backfill.Patient(rest, lambda: False).trades_from("BTCUSDT", 1) == []
    rest.calls = 0
    with pytest.raises(TryAgain, match="told to stop"):
        await backfill.Patient(rest, lambda: rest.calls > 0).trades_from("BTCUSDT", 1)
