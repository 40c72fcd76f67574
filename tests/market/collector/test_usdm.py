"""USD-M futures: aggregates on one route, books on another, marks and funding."""

import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection
from redis import Redis

from lib.decimals import plain
from market.book.keeping import BookKeeper
from market.collector.collector import Collector
from market.flow.detail import Detail
from market.hot import keys
from market.instruments import InstrumentKey
from market.models import Gap, Instrument, MinuteAudit
from tests.conftest import KEY, MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import collecting, gaps_closed, struck

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]
FUTURE = InstrumentKey("simulator", "usdm", "BTCUSDT")
SHARE = "simulator:usdm:all"


@pytest.fixture
async def instrument(simulator: RunningSimulator, make_instrument: MakeInstrument) -> Instrument:
    simulator.exchange.list_generated("BTCUSDT", None, seed=8, pace=10.0, market="usdm")
    made: Instrument = await in_database(make_instrument)("BTCUSDT", market="usdm")
    return made


async def truth(simulator: RunningSimulator) -> dict[int, Any]:
    url = f"{simulator.http}/simulator/truth?symbol=BTCUSDT&market=usdm"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return {int(start) // 1000: sums for start, sums in (await answer.json()).items()}


async def caught_up(simulator: RunningSimulator, collector: Collector) -> None:
    symbol = simulator.exchange.markets["usdm"].listed["BTCUSDT"].symbol
    symbol.source.is_halted = True  # type: ignore[attr-defined]
    simulator.exchange.faults.change({"drop": 0, "double": 0, "swap": 0, "cut_every": 0})
    expected = await truth(simulator)
    last_id = expected[max(expected)]["last_id"]
    [tape] = collector.tapes.values()
    await eventually(
        lambda: tape.writer.cursor.last_id == last_id and not tape.writer.is_dirty,
        30,
        f"id {last_id}",
    )
    await gaps_closed(tape)


async def check_bars(simulator: RunningSimulator, collector: Collector) -> None:
    [tape] = collector.tapes.values()
    bars = await tape.place.hot.bars(FUTURE, "1m", 0, 2**40)
    expected = await truth(simulator)
    assert sorted(bars) == sorted(expected)
    for start, bar in bars.items():
        sums = expected[start]
        assert (bar.trades, bar.first_id, bar.last_id) == (
            sums["trades"],
            sums["first_id"],
            sums["last_id"],
        )
        assert bar.detail == Detail.ORDER
        for index, band in enumerate(sums["order"].values()):
            assert Decimal(bar.order[index]) / 10**16 == Decimal(band["buy"])
            assert Decimal(bar.order[6 + index]) / 10**16 == Decimal(band["sell"])
            assert bar.order[12 + index] == band["count"]


async def test_faults_change_nothing(simulator: RunningSimulator, instrument: Instrument) -> None:
    simulator.exchange.faults.change({"drop": 0.03, "double": 0.05, "swap": 0.05, "cut_every": 2})
    async with collecting(simulator.http, simulator.ws, SHARE) as collector:
        await struck(simulator, drop=30, double=50, swap=50, cut=4)  # of two connections
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)
    assert not await in_database(Gap.objects.filter(state="open").exists)()


@pytest.mark.parametrize("is_planted", [False, True])
async def test_minutes_agree_with_the_exchanges_own(
    simulator: RunningSimulator, instrument: Instrument, is_planted: bool
) -> None:
    """By the sums only, since the candle counts single trades; one that differs is made anew."""
    async with collecting(simulator.http, simulator.ws, SHARE) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(lambda: (tape.writer.cursor.last_id or 0) > 200, 20)
        await caught_up(simulator, collector)
        await collector.chores.save_once()
        if is_planted:
            await in_database(plant_a_fault)()
        newest = tape.writer.last_trade_ms // 60_000 * 60

        async def is_compared() -> bool:
            # pretend that the first minute was seen whole, and that time has passed
            tape.writer.covered_from = (tape.writer.covered_from // 60_000) * 60_000
            tape.writer.covered_to = (newest + 60) * 1000 + 10_000
            return await collector.chores.auditor.look_again(tape, newest - 60, newest + 60) > 0

        await eventually(is_compared, 30, "a comparison, with the writer at rest")
        audits = MinuteAudit.objects.values_list("state", flat=True)
        states = await in_database(lambda: set(audits))()
        assert states - {"agrees"} == ({"rebuilt"} if is_planted else set())
        await check_bars(simulator, collector)


def plant_a_fault() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE market_second_bar SET quote_buy = quote_buy + 1, revision = revision + 1 "
            "WHERE time = (SELECT max(time) FROM market_second_bar)"
        )
        assert cursor.rowcount == 1


async def test_the_book_is_the_exchanges_also_after_a_cut(
    simulator: RunningSimulator, instrument: Instrument, empty_redis: Redis
) -> None:
    await check_book(simulator, FUTURE, SHARE, empty_redis)


async def test_the_book_of_spot_too(
    simulator: RunningSimulator, make_instrument: MakeInstrument, empty_redis: Redis
) -> None:
    await in_database(make_instrument)("BTCUSDT")
    await check_book(simulator, KEY, "simulator:spot:all", empty_redis)


def board(client: Redis, key: InstrumentKey, kind: str) -> dict[str, Any]:
    text: Any = client.get(keys.board(key, kind))
    found: dict[str, Any] = json.loads(text or "{}")
    return found


async def check_book(
    simulator: RunningSimulator, key: InstrumentKey, share: str, client: Redis
) -> None:
    source: Any = simulator.exchange.markets[key.market].listed["BTCUSDT"].symbol.source

    def shown() -> dict[str, Any]:
        return board(client, key, "book")

    async def shown_anew() -> None:
        """A frame says a time some ms after it was sent."""
        since_ms = simulator.exchange.now() // 1000 + 100
        await eventually(lambda: shown().get("t", 0) > since_ms, 30, "a later book")

    async def is_the_exchanges() -> bool:
        return (shown().get("bids"), shown().get("asks")) == await book_of(simulator, key)

    async with collecting(simulator.http, simulator.ws, share) as collector:
        await eventually(lambda: bool(shown()), 20, "a book")
        [book] = [tape.board.book for tape in collector.tapes.values()]
        for fault in ("none", "lost frames", "a cut", "a Redis without scripts"):
            if fault == "a cut":
                simulator.sockets.cut()
            elif fault == "a Redis without scripts":
                client.script_flush()
            elif fault == "lost frames":
                await lose_frames_of(book, simulator)
            await shown_anew()
            source.is_halted = True
            await eventually(is_the_exchanges, 30, f"the exchange's book after {fault}")
            best_bid, best_ask = shown()["bids"][0][0], shown()["asks"][0][0]
            assert Decimal(best_bid) < Decimal(best_ask)
            source.is_halted = False
        assert [tape.board.malformed for tape in collector.tapes.values()] == [0]
        ticker = board(client, key, "ticker")
        assert Decimal(ticker["low"]) <= Decimal(ticker["last"]) <= Decimal(ticker["high"])
        if key.is_aggregated:
            mark = board(client, key, "mark")
            assert Decimal(mark["mark"]) > 0
            assert mark["next_funding"] > mark["t"]


async def lose_frames_of(book: BookKeeper, simulator: RunningSimulator) -> None:
    """Until it was found out twice that some are missing."""
    losses = book.losses
    simulator.exchange.faults.change({"drop": 0.3})
    await eventually(lambda: book.losses >= losses + 2, 30, "lost frames of the book")
    simulator.exchange.faults.change({"drop": 0})


async def book_of(
    simulator: RunningSimulator, key: InstrumentKey
) -> tuple[list[list[str]], list[list[str]]]:
    path = "/fapi/v1/depth" if key.is_aggregated else "/api/v3/depth"
    url = f"{simulator.http}{path}?symbol=BTCUSDT&limit=20"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        body = await answer.json()
    sides = [
        [[plain(Decimal(price)), plain(Decimal(quantity))] for price, quantity in body[side]]
        for side in ("bids", "asks")
    ]
    return sides[0], sides[1]
