"""A demo's exchange has a past: one tape from a year ago until now, the accounts' own trades in it,
the same after a restart."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.history import give_past
from simulator.accounts.records import SPOT
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.klines import DAY_US, HOUR_US, LENGTHS, Kline, klines, span
from simulator.sources.past import PastTrades
from simulator.sources.walk import DAY_MS, DAYS, Walks
from simulator.tape import HEADER, MARKET, OLD_HEADER, OLD_MAGIC, RECORD, Tape, Trade, aggregate
from tests.conftest import RunningSimulator, eventually
from tests.simulator.conftest import Serve, get

NAMES = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
NOW_US = 1_790_035_200_000_000
MINUTE_MS = 60_000


def listed(folder: Path, clock: Any = None) -> Exchange:
    exchange = Exchange(Faults(), rest_lag_ms=50, clock=clock)
    for name in NAMES:
        exchange.list_generated(name, folder, seed=7, pace=10.0)
    exchange.list_generated("BTCUSDT", folder, seed=7, pace=10.0, market="usdm")
    return exchange


def put_year_behind(exchange: Exchange) -> None:
    """The past of a demo without what the demo traded in it, which takes seconds to make up."""
    midnight_ms = exchange.now() // DAY_US * DAY_US // 1000
    exchange.go_on_from(Walks(1, midnight_ms - DAYS * DAY_MS))


def traded_on(folder: Path, now: list[int]) -> Exchange:
    """An exchange with its past, and ten seconds more."""
    exchange = listed(folder, lambda: now[0])
    put_year_behind(exchange)
    for _ in range(100):
        now[0] += 100_000
        exchange.advance()
    return exchange


def close_all(exchange: Exchange) -> None:
    for market in exchange.markets.values():
        for symbol in market.symbols:
            symbol.tape.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    folder = tmp_path_factory.mktemp("past")
    exchange = listed(folder, lambda: NOW_US)
    put_year_behind(exchange)
    yield exchange
    close_all(exchange)


async def served(serve: Serve, folder: Path) -> RunningSimulator:
    exchange = listed(folder)
    put_year_behind(exchange)
    simulator = await serve(exchange)
    tape = exchange.symbols["BTCUSDT"].tape
    await eventually(lambda: len(tape) > 50, 10)
    return simulator


async def trades(simulator: RunningSimulator, first_id: int, limit: int = 1000) -> Any:
    query = {"symbol": "BTCUSDT", "fromId": first_id, "limit": limit}
    return await get(simulator, "/api/v3/historicalTrades", **query)


async def test_ids_and_times_go_on_from_the_past_into_the_tape(
    serve: Serve, tmp_path: Path
) -> None:
    simulator = await served(serve, tmp_path)
    begins = simulator.exchange.symbols["BTCUSDT"].tape.begins
    rows = await trades(simulator, begins - 950)
    assert [row["id"] for row in rows] == list(range(begins - 950, begins - 950 + len(rows)))
    assert rows[-1]["id"] >= begins
    assert all(before["time"] <= after["time"] for before, after in pairwise(rows))
    same_moment = await get(
        simulator, "/api/v3/aggTrades", symbol="BTCUSDT", startTime=rows[0]["time"], limit=100
    )
    assert any(row["f"] <= begins - 950 <= row["l"] for row in same_moment)
    oldest = await trades(simulator, 0, 3)
    assert [row["id"] for row in oldest] == [1, 2, 3]


async def test_minutes_of_the_past_are_the_sums_of_its_trades(serve: Serve, tmp_path: Path) -> None:
    simulator = await served(serve, tmp_path)
    now_ms = simulator.exchange.now() // 1000
    since = (now_ms - 40 * 86_400_000) // MINUTE_MS * MINUTE_MS
    hour = await get(
        simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=since, limit=60
    )
    assert hour[0][0] == since
    # any one of an hour that is not too quiet to prove something, and fits one answer
    kline = max((row for row in hour if row[8] < 900), key=lambda row: row[8])
    start = kline[0]
    aggregates = await get(
        simulator,
        "/api/v3/aggTrades",
        symbol="BTCUSDT",
        startTime=start,
        endTime=start + MINUTE_MS - 1,
        limit=1000,
    )
    first, last = aggregates[0]["f"], aggregates[-1]["l"]
    rows = await trades(simulator, first, last - first + 1)
    assert kline[8] == len(rows) >= len(aggregates) > 3
    assert Decimal(kline[7]) == sum(Decimal(row["quoteQty"]) for row in rows)
    taken = sum(Decimal(row["qty"]) for row in rows if not row["isBuyerMaker"])
    assert Decimal(kline[9]) == taken
    assert (kline[1], kline[4]) == (rows[0]["price"], rows[-1]["price"])


def test_longer_candles_are_the_sums_of_shorter_ones_and_of_trades(demo: Exchange) -> None:
    for market in (SPOT, "usdm"):
        tape = demo.markets[market].listed["BTCUSDT"].symbol.tape
        day = NOW_US // DAY_US * DAY_US - 30 * DAY_US
        trades = list(
            tape.between(tape.first_at_or_after(day), tape.first_at_or_after(day + DAY_US) - 1)
        )
        wanted = Kline(day, day + DAY_US - 1)
        for trade in trades:
            wanted.add(trade)
        assert wanted.trades > 20_000
        assert 0.3 < wanted.taker_quote / wanted.quote < 0.7
        for interval in LENGTHS:
            if LENGTHS[interval] == 0 or LENGTHS[interval] > 86_400:
                continue
            parts = list(klines(tape, interval, day, day + DAY_US - 1))
            whole = Kline(day, day + DAY_US - 1)
            for kline in parts:
                whole.take_in(kline)
            assert len(parts) == 86_400 // LENGTHS[interval]
            assert whole == wanted
        aggregates = list(tape.aggregates(trades[0].id, trades[-1].id))
        assert aggregates == list(aggregate(trades))
        assert len(aggregates) < len(trades)
        assert [item.id for item in aggregates] == list(
            range(aggregates[0].id, aggregates[0].id + len(aggregates))
        )


def test_weeks_months_and_other_midnights_are_sums_too(demo: Exchange) -> None:
    tape = demo.symbols["ETHUSDT"].tape
    for interval, zone in (("3d", 0), ("1w", 0), ("1M", 0), ("1d", 5 * HOUR_US + HOUR_US // 2)):
        opened, closed = span(NOW_US - 60 * DAY_US, interval, zone)
        [kline] = klines(tape, interval, opened, closed, zone)
        whole = Kline(opened, closed)
        for minute in klines(tape, "1m", opened, closed):
            whole.take_in(minute)
        assert kline == whole


def test_a_candle_over_the_seam_holds_both_sides_of_it(tmp_path: Path) -> None:
    now = [NOW_US + 20_000_000]
    exchange = listed(tmp_path, lambda: now[0])
    put_year_behind(exchange)
    for _ in range(300):
        now[0] += 200_000
        exchange.advance()
    for symbol in (exchange.symbols["BTCUSDT"], *exchange.markets["usdm"].symbols):
        tape = symbol.tape
        begins = tape.at(tape.begins).time
        assert tape.at(tape.begins - 1).time <= begins
        assert tape.at(tape.begins).agg_id == tape.at(tape.begins - 1).agg_id + 1
        for interval in ("1s", "1m", "1h", "1d"):
            opened, closed = span(begins, interval)
            wanted = Kline(opened, closed)
            first, last = tape.first_at_or_after(opened), tape.first_at_or_after(closed + 1) - 1
            for trade in tape.between(first, last):
                if trade.kind == MARKET:
                    wanted.add(trade)
            assert next(klines(tape, interval, opened, closed)) == wanted
    close_all(exchange)


async def test_the_truth_begins_with_the_whole_bar_of_the_first_live_trade(
    serve: Serve, tmp_path: Path
) -> None:
    simulator = await served(serve, tmp_path)
    tape = simulator.exchange.symbols["BTCUSDT"].tape
    opens = tape.at(tape.begins).time // 60_000_000 * 60_000
    truth = await get(simulator, "/simulator/truth", symbol="BTCUSDT")
    assert int(min(truth)) == opens
    first_id = tape.first_at_or_after(opens * 1000)
    assert truth[str(opens)]["first_id"] == first_id <= tape.begins
    before = await get(
        simulator, "/simulator/truth", symbol="BTCUSDT", start=opens - 60_000, end=opens
    )
    assert before[str(opens - 60_000)]["trades"] > 0


async def test_candles_from_before_the_year_begin_with_it(serve: Serve, tmp_path: Path) -> None:
    simulator = await served(serve, tmp_path)
    past = simulator.exchange.symbols["BTCUSDT"].tape.before
    assert isinstance(past, PastTrades)
    start_ms = past.start_us // 1000
    for interval in ("1m", "1h", "1d", "1w"):
        rows = await get(
            simulator, "/api/v3/klines", symbol="BTCUSDT", interval=interval, startTime=0, limit=3
        )
        assert len(rows) == 3
        assert start_ms - 7 * 86_400_000 < rows[0][0] <= start_ms + 3_600_000
    days = await get(simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1d", limit=500)
    assert 360 < len(days) <= 368
    assert all(after[0] - before[0] == 86_400_000 for before, after in pairwise(days))


def test_what_lies_between_the_past_and_the_memory_is_forgotten(tmp_path: Path) -> None:
    now = [NOW_US]
    exchange = traded_on(tmp_path, now)
    tape = exchange.symbols["BTCUSDT"].tape
    count = len(tape)
    tape.forget(10)
    lost = tape.first_id - 1
    assert count > 20
    assert tape.knows(tape.begins - 1)
    assert not tape.knows(lost)
    with pytest.raises(IndexError, match="forgotten"):
        tape.at(lost)
    seconds = list(klines(tape, "1s", NOW_US + 1_000_000, now[0]))
    assert sum(kline.trades for kline in seconds) == 10
    close_all(exchange)


def test_a_window_is_summed_anew_once_when_its_first_trades_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [NOW_US]
    exchange = traded_on(tmp_path, now)
    symbol = exchange.symbols["BTCUSDT"]
    tape = symbol.tape
    symbol.statistic(30 * DAY_US, now[0])
    tape.forget(10)
    month = symbol.statistic(30 * DAY_US, now[0])
    assert month is not None
    assert (month.trades, month.first.id) == (10, tape.first_id)
    read: list[int] = []
    between = tape.between

    def counted(first_id: int, last_id: int) -> Iterator[Trade]:
        for trade in between(first_id, last_id):
            read.append(trade.id)
            yield trade

    monkeypatch.setattr(tape, "between", counted)
    again = symbol.statistic(30 * DAY_US, now[0])
    assert again is not None
    assert (again.trades, read) == (10, [])
    close_all(exchange)


def test_a_year_that_does_not_fit_a_tape_is_not_put_before_it(tmp_path: Path) -> None:
    for days in (0, 3):  # the accounts were removed meanwhile
        exchange = listed(tmp_path, lambda days=days: NOW_US + days * 86_400_000_000)
        give_past(Bank(exchange, tmp_path / f"accounts-{days}.json"), opens_demo=True)
        tape = exchange.symbols["BTCUSDT"].tape
        assert (tape.before is None) == (days == 3)
        exchange.advance()
        times = [trade.time for trade in tape.between(tape.last_id - 20, tape.last_id)]
        assert times == sorted(times)
        close_all(exchange)


def test_an_accounts_fills_are_parts_of_the_tapes_own_trades(tmp_path: Path) -> None:
    exchange = listed(tmp_path, lambda: NOW_US)
    bank = Bank(exchange, tmp_path / "accounts.json")
    give_past(bank, opens_demo=True)
    [account] = bank.accounts.values()
    markets = set()
    for fill in account.fills[::40]:
        trade = exchange.markets[fill.market].listed[fill.symbol].symbol.tape.at(fill.id)
        assert (trade.price, trade.time // 1000) == (fill.price, fill.time)
        assert trade.quantity >= fill.quantity
        assert trade.is_buyer_maker == ((fill.side == "BUY") == fill.is_maker)
        markets.add(fill.market)
    assert markets == {SPOT, "usdm"}
    close_all(exchange)


def test_the_past_is_the_same_after_a_restart(tmp_path: Path) -> None:
    said = []
    for clock in (lambda: NOW_US, lambda: NOW_US + 3 * 86_400_000_000):
        exchange = listed(tmp_path, clock)
        bank = Bank(exchange, tmp_path / "accounts.json")
        give_past(bank, opens_demo=True)
        tape = exchange.symbols["BTCUSDT"].tape
        exchange.advance()
        before = tape.before
        assert before is not None
        last = before.last_id
        fills = [f for a in bank.accounts.values() for f in a.fills if f.market == SPOT]
        own = [f for f in fills if f.symbol == "BTCUSDT"]
        assert [tape.at(f.id).price for f in own] == [f.price for f in own]
        said.append((last, tape.begins, list(tape.between(last - 2000, last)), len(own)))
        bank.save()
        close_all(exchange)
    assert said[0] == said[1]


@pytest.mark.parametrize("kept", [0, 3])
def test_a_tape_of_before_there_were_pasts_stays_as_it_is(tmp_path: Path, kept: int) -> None:
    records = [RECORD.pack(10 + n, 1, NOW_US + n, n + 1, 0) for n in range(kept)]
    path = tmp_path / "BTCUSDT.tape"
    path.write_bytes(OLD_HEADER.pack(OLD_MAGIC, 1_000_001) + b"".join(records))
    tape = Tape("BTCUSDT", path, 1)
    assert (tape.first_id, len(tape), tape.begins) == (1_000_001, kept, 0)
    assert [trade.price for trade in tape.between(0, 2**40)] == [10 + n for n in range(kept)]
    assert path.stat().st_size == HEADER.size + kept * RECORD.size
    tape.close()
