"""The simulator from outside: real sockets and HTTP, everything from one tape."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from simulator.__main__ import make_exchange, parser
from simulator.listing import listing
from simulator.sources.generator import Generated
from simulator.sources.replay import Replayed
from simulator.tape import Row, Tape
from tests import captures
from tests.conftest import RunningSimulator, told_by_rest, traded
from tests.simulator.conftest import get, listening


async def collect(url: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(60), listening(url) as socket:
        return [json.loads(await socket.recv()) for _ in range(count)]


async def test_trades_come_with_consecutive_ids_and_times_in_microseconds(
    simulator: RunningSimulator,
) -> None:
    frames = await collect(f"{simulator.ws}/stream?streams=btcusdt@trade&timeUnit=MICROSECOND", 200)
    trades = [frame["data"] for frame in frames]
    assert {frame["stream"] for frame in frames} == {"btcusdt@trade"}
    assert [t["t"] for t in trades] == list(range(trades[0]["t"], trades[0]["t"] + 200))
    assert all(t["T"] > 10**15 and 0 < t["E"] - t["T"] < 10_000 for t in trades)
    assert list(trades[0]) == ["e", "E", "s", "t", "p", "q", "T", "m", "M"]
    sweeps = {(t["T"], t["m"]) for t in trades}
    assert len(sweeps) < 200  # orders that eat several levels share one time


async def test_streams_and_rest_agree_to_the_last_digit(simulator: RunningSimulator) -> None:
    frames = await collect(f"{simulator.ws}/ws/btcusdt@trade", 100)
    first, last = frames[0]["t"], frames[-1]["t"]
    await told_by_rest(simulator, last)
    rows = await get(
        simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=first, limit=100
    )
    assert [(r["id"], r["price"], r["qty"], r["time"], r["isBuyerMaker"]) for r in rows] == [
        (f["t"], f["p"], f["q"], f["T"], f["m"]) for f in frames
    ]
    newest = await get(simulator, "/api/v3/trades", symbol="BTCUSDT", limit=1000)
    assert newest[-1]["id"] >= last
    assert [row["id"] for row in newest] == list(range(newest[0]["id"], newest[-1]["id"] + 1))


async def test_aggregates_are_the_sum_of_their_trades(simulator: RunningSimulator) -> None:
    frames = await collect(f"{simulator.ws}/ws/btcusdt@aggTrade", 50)
    await told_by_rest(simulator, frames[-1]["l"])
    assert [f["a"] for f in frames] == list(range(frames[0]["a"], frames[0]["a"] + 50))
    rows = await get(
        simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=frames[0]["f"], limit=1000
    )
    by_id = {row["id"]: row for row in rows}
    for frame in frames:
        parts = [by_id[i] for i in range(frame["f"], frame["l"] + 1)]
        assert Decimal(frame["q"]) == sum(Decimal(part["qty"]) for part in parts)
        assert {(p["price"], p["isBuyerMaker"]) for p in parts} == {(frame["p"], frame["m"])}
    again = await get(
        simulator, "/api/v3/aggTrades", symbol="BTCUSDT", fromId=frames[0]["a"], limit=50
    )
    assert [row["q"] for row in again] == [frame["q"] for frame in frames]


async def test_klines_and_the_truth_agree_with_the_trades(simulator: RunningSimulator) -> None:
    await traded(simulator, 200)
    truth = await get(simulator, "/simulator/truth", symbol="BTCUSDT")
    minute = min(truth)
    [kline, *_] = await get(
        simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=minute, limit=1
    )
    rows = await get(simulator, "/api/v3/trades", symbol="BTCUSDT", limit=1000)
    counted = [row for row in rows if row["id"] <= truth[minute]["last_id"]]
    if truth[minute]["first_id"] == rows[0]["id"]:
        bought = [r for r in counted if not r["isBuyerMaker"]]
        value = sum(Decimal(r["price"]) * Decimal(r["qty"]) for r in bought)
        assert Decimal(truth[minute]["buy"]) == value
        for unit in ("trade", "order"):
            bands = truth[minute][unit].values()
            assert sum(Decimal(band["buy"]) for band in bands) == value
    assert kline[1] == f"{Decimal(truth[minute]['open']):.8f}"
    assert kline[8] >= truth[minute]["trades"]


async def test_kline_and_book_ticker_streams_speak(simulator: RunningSimulator) -> None:
    url = f"{simulator.ws}/stream?streams=btcusdt@kline_1m/btcusdt@bookTicker"
    seen: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(60), listening(url) as socket:
        while len(seen) < 2:
            frame = json.loads(await socket.recv())
            seen[frame["stream"]] = frame["data"]
    assert seen["btcusdt@kline_1m"]["k"]["n"] > 0
    book = seen["btcusdt@bookTicker"]
    assert list(book) == ["u", "s", "b", "B", "a", "A"]
    assert Decimal(book["b"]) < Decimal(book["a"])


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ({"method": "SUBSCRIBE", "params": ["x@trade"], "id": 1}, {"result": None, "id": 1}),
        ({"method": "LIST_SUBSCRIPTIONS", "id": "a"}, {"result": [], "id": "a"}),
        ({"method": "GET_PROPERTY", "params": ["combined"], "id": 2}, {"result": False, "id": 2}),
        (
            {"method": "SET_PROPERTY", "params": ["combined", True], "id": 3},
            {"result": None, "id": 3},
        ),
        (
            {"method": "SUBSCRIBE", "params": "x", "id": 4},
            {"code": 1, "msg": "Invalid value type: expected an array of strings"},
        ),
        ({"method": "X", "id": 5}, {"code": 2, "msg": "Invalid request: unknown variant `X`"}),
        ({"id": 6}, {"code": 2, "msg": "Invalid request: missing field `method`"}),
    ],
)
async def test_control_messages_are_answered(
    simulator: RunningSimulator, sent: dict[str, Any], answer: dict[str, Any]
) -> None:
    async with asyncio.timeout(60), listening(f"{simulator.ws}/ws") as socket:
        await socket.send(json.dumps(sent))
        assert json.loads(await socket.recv()) == answer


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("trades", {}, -1102),
        ("trades", {"symbol": "NOPE"}, -1121),
        ("trades", {"symbol": "BTCUSDT", "limit": "x"}, -1100),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
    ],
)
async def test_refusals_have_binances_codes(
    simulator: RunningSimulator, path: str, query: dict[str, str], code: int
) -> None:
    assert (await get(simulator, f"/api/v3/{path}", **query))["code"] == code


async def test_exchange_info_lists_filters_and_limits(simulator: RunningSimulator) -> None:
    info = await get(simulator, "/api/v3/exchangeInfo")
    [symbol] = info["symbols"]
    assert (symbol["baseAsset"], symbol["quoteAsset"]) == ("BTC", "USDT")
    assert {limit["rateLimitType"] for limit in info["rateLimits"]} == {
        "REQUEST_WEIGHT",
        "ORDERS",
        "RAW_REQUESTS",
    }


async def test_faults_can_be_set_and_a_cut_ends_every_connection(
    simulator: RunningSimulator,
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        listening(f"{simulator.ws}/ws/btcusdt@trade") as s,
    ):
        await s.recv()
        async with session.post(f"{simulator.http}/simulator/faults", json={"drop": 0.5}) as answer:
            assert (await answer.json())["drop"] == 0.5
        async with session.post(f"{simulator.http}/simulator/faults", json={"x": 1}) as answer:
            assert answer.status == 400
        await session.post(f"{simulator.http}/simulator/cut")
        with pytest.raises(ConnectionClosed):
            while True:
                await s.recv()


async def test_dropped_doubled_and_swapped_frames_happen_as_asked(
    simulator: RunningSimulator,
) -> None:
    simulator.exchange.faults.change({"drop": 0.1, "double": 0.1, "swap": 0.1, "seed": 3})
    ids = [frame["t"] for frame in await collect(f"{simulator.ws}/ws/btcusdt@trade", 300)]
    assert len(set(ids)) < len(ids)  # doubled
    assert ids != sorted(ids)  # swapped
    assert set(range(min(ids), max(ids))) - set(ids)  # dropped


def test_a_tape_on_disk_goes_on_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "X.tape"
    tape = Tape("X", path, first_id=100)
    tape.append([Row(5, 7, 1_000, True), Row(5, 7, 1_000, True), Row(6, 7, 2_000, False)])
    with path.open("ab") as half_written:
        half_written.write(b"half a record")
    tape.close()
    again = Tape("X", path)
    assert (again.first_id, again.last_id) == (100, 102)
    assert [trade.agg_id for trade in again.between(100, 102)] == [1, 1, 2]
    [trade] = again.append([Row(8, 7, 3_000, True)])
    assert (trade.id, trade.agg_id) == (103, 3)
    again.close()


def test_a_seed_gives_the_same_market() -> None:
    def first_rows() -> list[Any]:
        source = Generated(listing("BTCUSDT"), seed=5)
        return [event for now in range(0, 5_000_000, 10_000) for event in source.advance(now)]

    assert first_rows() == first_rows()
    assert len(first_rows()) > 10


@pytest.mark.parametrize("item", ["BTCUSDT", "BTCUSDT=/no/such/file"])
def test_a_wrong_tape_is_a_sentence(item: str) -> None:
    with pytest.raises(ValueError, match="SYMBOL=FILE with a file that exists"):
        make_exchange(parser().parse_args(["--tape", item]))


def test_a_capture_is_played_with_its_own_ids() -> None:
    path = captures.need("spot_btcusdt_20240808.gz")
    exchange = make_exchange(
        parser().parse_args(["--symbols", "", "--speed", "0", "--tape", f"btcusdt={path}"])
    )
    source = exchange.symbols["BTCUSDT"].source
    assert isinstance(source, Replayed)
    while not source.is_ended:
        exchange.advance()
    tape = exchange.symbols["BTCUSDT"].tape
    golden = captures.golden("spot_btcusdt_20240808.gz")
    assert (tape.first_id, tape.last_id) == (golden["first_id"], golden["last_id"])
