"""Tapes that are let go and taken back, and what the exchange has forgotten meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.utils import timezone

from market.binance.errors import Refused, TooOld
from market.binance.rest import UsdmRest
from market.collector import opening, watch
from market.collector.filler import pages
from market.collector.watch import last_run
from market.flow.detail import Detail
from market.flow.klines import Kline, differences, joined
from market.flow.trades import Trade
from market.models import CoveredSpan, Gap, Instrument
from market.services.following import follow, follow_first_symbols, unfollow
from tests.conftest import KEY, MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import collecting
from tests.market.collector.test_audit import bar_of


@pytest.mark.django_db(transaction=True)
async def test_an_absence_is_left_out_and_what_was_kept_stays_covered(
    simulator: RunningSimulator, make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "ABSENT_MS", 1_000)
    # more is missed than an answer holds, however quiet the market is at this hour
    monkeypatch.setattr(opening, "last_run", lambda rows: last_run(rows)[-3:])
    await in_database(make_instrument)("BTCUSDT")
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(
            lambda: (
                (tape.writer.cursor.last_id or 0) > 1_000_010
                and tape.writer.covered_to > tape.writer.covered_from
            ),
            20,
            "something that is covered",
        )
        await collector.chores.save_once()
        await in_database(unfollow)(key=KEY)
        await eventually(lambda: not collector.tapes, 10)
        last_id, covered_to = tape.writer.cursor.last_id or 0, tape.writer.covered_to
        market = simulator.exchange.symbols["BTCUSDT"]
        await eventually(
            lambda: (
                market.tape.last is not None
                and market.tape.last.time // 1000 > covered_to + opening.ABSENT_MS
                and market.tape.last_id > last_id + 10
            ),
            what="trades that nobody collects, for longer than an absence takes",
        )
        await in_database(follow)(key=KEY)
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(
            lambda: tape.writer.covered_from > covered_to and not tape.writer.is_dirty, 20
        )
        assert (tape.writer.cursor.last_id or 0) > last_id + 1
    span = await in_database(CoveredSpan.objects.get)()
    assert (span.last_id, span.to_ms) == (last_id, covered_to)
    assert not await in_database(Gap.objects.filter(state="open").exists)()


@pytest.mark.django_db(transaction=True)
async def test_a_tape_that_is_let_go_before_it_is_covered_was_not_absent(
    simulator: RunningSimulator, make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "COVER_LAG_MS", 3_600_000)
    monkeypatch.setattr(opening, "last_run", lambda rows: last_run(rows)[-3:])
    await in_database(make_instrument)("BTCUSDT")
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(lambda: (tape.writer.cursor.last_id or 0) > 1_000_010, 20)
        await collector.chores.save_once()
        await in_database(unfollow)(key=KEY)
        await eventually(lambda: not collector.tapes, 10)
        last_id, covered_from = tape.writer.cursor.last_id or 0, tape.writer.covered_from
        assert tape.writer.covered_to < covered_from
        await in_database(follow)(key=KEY)
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(lambda: (tape.writer.cursor.last_id or 0) > last_id + 10, 20)
        assert tape.writer.covered_from == covered_from
    assert not await in_database(CoveredSpan.objects.exists)()


@pytest.mark.django_db(transaction=True)
async def test_a_tape_that_is_let_go_while_it_is_flushed_ends_nothing(
    simulator: RunningSimulator, make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_database(make_instrument)("BTCUSDT")
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        step, steps = tape.writer.step, 0

        async def let_go_meanwhile() -> None:
            nonlocal steps
            await step()
            if not steps:  # here, so that nobody else lets it go before
                await in_database(unfollow)(key=KEY)
            steps += 1
            await collector.follow_once()

        monkeypatch.setattr(tape.writer, "step", let_go_meanwhile)
        await eventually(lambda: steps > 0 and not collector.tapes, 10)
        await in_database(follow)(key=KEY)
        await eventually(lambda: any(t.writer.has_begun for t in collector.tapes.values()), 10)


@pytest.mark.django_db
def test_what_was_only_wanted_is_pinned_by_market_symbols_and_what_was_stopped_is_not(
    make_instrument: MakeInstrument, settings: Any
) -> None:
    settings.MARKET_SYMBOLS = ["spot:BTCUSDT"]
    make_instrument("BTCUSDT", is_followed=False)
    Instrument.objects.update(followed_at=timezone.now() - timedelta(days=1))
    follow_first_symbols()
    assert Instrument.objects.get().is_pinned
    unfollow(key=KEY)
    follow_first_symbols()
    assert not Instrument.objects.get().is_followed


class Forgetful(UsdmRest):
    """Knows ids from 50 to 60."""

    def __init__(self) -> None:
        pass

    async def trades_from(self, symbol: str, first_id: int, kind: str = "live") -> list[Trade]:
        if first_id < 50:
            raise TooOld(-4166, "Search window is restricted to recent 2 days only.")
        return [Trade(n, 1, 1, 1_700_000_000_000 + n, False) for n in range(first_id, 61)]

    async def oldest_id(self, symbol: str) -> int | None:
        return 50


async def test_what_the_exchange_has_forgotten_is_unfillable_and_the_rest_is_filled() -> None:
    found = [item async for item in pages(Forgetful(), "BTCUSDT", 40, 55, "backfill")]
    assert [item.unfillable for item in found] == [[(40, 49)], []]
    assert [trade.id for item in found for trade in item.trades] == list(range(50, 56))
    found = [item async for item in pages(Forgetful(), "BTCUSDT", 10, 20, "backfill")]
    assert [(item.unfillable, item.next_id) for item in found] == [([(10, 20)], 21)]


async def test_a_refusal_that_is_not_about_age_is_told() -> None:
    class Strict(Forgetful):
        async def trades_from(self, *args: Any, **more: Any) -> list[Trade]:
            raise Refused(-1121, "Invalid symbol.")

    with pytest.raises(Refused):
        _ = [item async for item in pages(Strict(), "NOPE", 1, 2, "backfill")]


def test_minutes_that_share_an_aggregate_agree_together() -> None:
    first = Kline(60, -1, -1, -1, 100, 120, 90, 110, 50, 20, 5000, 2000)
    second = Kline(120, -1, -1, -1, 110, 115, 105, 106, 40, 10, 4000, 1000)
    ours = [bar_of(first), bar_of(second)]
    for bar in ours:
        bar.detail = Detail.ORDER
    moved = 3
    ours[0].base_buy += moved  # counted where the aggregate begins
    ours[1].base_buy -= moved
    assert differences(first, ours[0])
    ours[0].add(ours[1])
    assert differences(joined([first, second]), ours[0]) == []
