"""A stretch of the past by trade ids."""

import time
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from channels.db import database_sync_to_async as in_database
from redis import Redis

from market.archive import seconds as archive
from market.binance.errors import MustWait, TryAgain
from market.binance.governor import SHARES
from market.collector import backfill
from market.flow.bands import SETS
from market.flow.detail import Detail
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade
from market.models import CoveredSpan, Instrument
from market.selectors import reading
from tests.conftest import MakeInstrument, RunningSimulator, eventually, told_by_rest


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
    start, end = begun + 2, begun + 5
    await rest_is_beyond(simulator, end * 1000 + backfill.LATE_MS, market)
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
        assert (bar.detail == Detail.ORDER) is (market == "usdm")
    assert await in_database(reading.covered_times)(row) == [(start * 1000, end * 1000)]
    # again it changes nothing, and what the exchange does not know is not claimed
    assert await backfill.fetch(row, start * 1000, end * 1000)
    assert not await backfill.fetch(row, (begun - 600) * 1000, (begun - 300) * 1000)
    assert not await backfill.fetch(row, start * 1000, (begun + 3600) * 1000)
    assert await in_database(CoveredSpan.objects.count)() == 1


async def rest_is_beyond(simulator: RunningSimulator, time_ms: int, market: str) -> None:
    """Wait until REST tells of a whole aggregate at or after a moment."""
    tape = simulator.exchange.markets[market].listed["BTCUSDT"].symbol.tape

    def has_gone_on() -> bool:
        first_id = tape.first_at_or_after(time_ms * 1000)
        return (
            first_id <= tape.last_id and tape.at(tape.last_id).agg_id > tape.at(first_id).agg_id + 1
        )

    await eventually(has_gone_on, what="later trades")
    await told_by_rest(simulator, tape.last_id, market)


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
