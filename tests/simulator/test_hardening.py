"""What nobody may do to the exchange, and corners where its answers were once wrong."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect

from simulator.__main__ import make_exchange, parser
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.tape import Tape
from tests.conftest import traded
from tests.simulator.conftest import Serve, get, listening, post
from tests.simulator.test_hour import Clock
from tests.simulator.test_sockets import hear, is_silent

SENT = [
    '{"method":"SUBSCRIBE","params":["!miniTicker@arr\\ud800"],"id":1}',
    '{"method":"SUBSCRIBE","params":["!miniTicker@arrX","btcusdt@depth5\\n"],"id":1}',
    '{"method":[],"id":1}',
    '{"method":{"a":1}}',
    "[" * 20_000,
    '{"method":"\\ud800","id":1}',
    '{"method":"LIST_SUBSCRIPTIONS","id":"\\ud800"}',
    "[1]",
    "null",
]


@pytest.mark.parametrize("text", SENT)
async def test_odd_control_messages_are_answered_and_harm_nobody(serve: Serve, text: str) -> None:
    simulator = await serve()
    async with (
        connect(f"{simulator.ws}/stream") as odd,
        listening(f"{simulator.ws}/ws/btcusdt@trade") as other,
    ):
        await odd.send(text)
        await hear(odd)
        # what is told once a second has come to everybody who listens
        since_ms = simulator.exchange.now() // 1000 + 1_100
        async with asyncio.timeout(60):
            while json.loads(await other.recv())["T"] < since_ms:
                pass


@pytest.mark.parametrize(
    "stream", ["!miniTicker@arrX", "btcusdt@depth5x", 'btcusdt@trade"', "btcusdt@depth5@100msx"]
)
async def test_almost_a_stream_is_none(serve: Serve, stream: str) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws") as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [stream], "id": 1}))
        await hear(socket)
        assert await is_silent(socket, 1.3)


@pytest.mark.parametrize(
    "path",
    [
        "/fapi/v1/ticker/foo",
        "/fapi/v2/ticker/x",
        "/api/v3/klines?symbol=BTCUSDT&interval=1M&startTime=99999999999999999999",
        "/api/v3/klines?symbol=BTCUSDT&interval=1m&timeZone=²",
        "/api/v3/ticker?symbol=BTCUSDT&windowSize=²d",
        "/api/v3/ticker?symbol=BTCUSDT&windowSize=" + "9" * 3000 + "d",
        "/api/v3/exchangeInfo?symbols=" + "[" * 2500,
        "/api/v3/nothing",
    ],
)
async def test_odd_questions_are_refused(serve: Serve, path: str) -> None:
    simulator = await serve()
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.http}{path}") as answer,
    ):
        assert answer.status < 500


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("clock", {"ms": 1e18}),
        ("hole", {"ids": 1e18}),
        ("wipe", {"first_id": 1e30}),
        ("forget", {"kept": float("inf")}),
        ("shutdown", {"seconds": float("nan")}),
    ],
)
async def test_absurd_faults_are_refused(
    serve: Serve, kind: str, arguments: dict[str, Any]
) -> None:
    simulator = await serve()
    answer = await post(simulator, f"/simulator/faults/{kind}", **arguments)
    assert "between" in answer["msg"]


async def test_a_half_open_connection_does_not_answer_a_goodbye(serve: Serve) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws/btcusdt@trade", close_timeout=0.5) as socket:
        await post(simulator, "/simulator/faults/half_open")
        for number in range(12):
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        await socket.close()
        assert socket.close_code == 1006  # nobody said goodbye back


async def test_a_fillable_hole_is_one_in_aggregates_too(serve: Serve) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/market/ws/btcusdt@aggTrade") as socket:
        frames = await hear(socket, 5)
        await post(simulator, "/simulator/faults/hole", market="usdm", ids=50, fillable=True)
        frames += await hear(socket, 60)
        ids = [frame["a"] for frame in frames]
    assert set(range(ids[0], ids[-1])) - set(ids)


def played(seconds: int, *, market: str = "spot") -> tuple[Exchange, Clock]:
    clock = Clock()
    exchange = Exchange(Faults(), rest_lag_ms=0, clock=clock)
    exchange.list_generated("BTCUSDT", None, seed=3, pace=1.0, market=market)
    step(exchange, clock, seconds)
    return exchange, clock


def step(exchange: Exchange, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds * 20)):
        clock.now += 50_000
        exchange.advance()


class Ear:
    scale = 1000

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def push(self, stream: str, payload: str) -> None:
        self.frames.append(json.loads(payload))


def test_a_candle_is_right_for_a_listener_that_was_away() -> None:
    exchange, clock = played(1)
    audience = exchange.markets["spot"].audience
    first, again = Ear(), Ear()
    audience.listen("btcusdt@kline_1m", first)
    step(exchange, clock, 5)
    audience.leave("btcusdt@kline_1m", first)
    step(exchange, clock, 100)
    audience.listen("btcusdt@kline_1m", again)
    step(exchange, clock, 70)
    tape = exchange.symbols["BTCUSDT"].tape
    for frame in again.frames:
        k = frame["k"]
        if k["x"]:
            ids = [t.id for t in tape.between(0, 2**62) if k["t"] <= t.time // 1000 <= k["T"]]
            assert (k["n"], k["f"], k["L"]) == (len(ids), ids[0], ids[-1])


async def test_no_candle_before_the_first_trade(serve: Serve) -> None:
    simulator = await serve()
    await traded(simulator, 20)
    for query in ({"endTime": 1_600_000_000_000}, {"startTime": 1, "endTime": 2}, {"endTime": 0}):
        rows = await get(simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1m", **query)
        assert rows == []


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_rest_answers_only_whole_aggregates_as_the_stream_told_them(
    serve: Serve, market: str
) -> None:
    exchange, clock = played(30, market=market)
    ear = Ear()
    exchange.markets[market].audience.listen("btcusdt@aggTrade", ear)
    simulator = await serve(exchange)
    path = {"spot": "/api/v3/aggTrades", "usdm": "/fapi/v1/aggTrades"}[market]
    questions: list[dict[str, Any]] = []
    for _ in range(20):
        step(exchange, clock, 0.25)
        now = clock.now // 1000
        questions = [
            {"limit": 20},
            {"startTime": now - 2500, "limit": 500},
            {"startTime": now - 5000, "endTime": now - 1000},
            {"fromId": max(1, (ear.frames or [{"a": 1}])[-1]["a"] - 3)},
        ]
        told = {f["a"]: (f["f"], f["l"], f["q"]) for f in ear.frames}
        for question in questions:
            for row in await get(simulator, path, symbol="BTCUSDT", **question):
                if row["a"] in told:
                    assert (row["f"], row["l"], row["q"]) == told[row["a"]], question
    listed = exchange.markets[market].listed["BTCUSDT"]
    listed.symbol.source.is_halted = True  # type: ignore[attr-defined]
    step(exchange, clock, 2)
    newest = ear.frames[-1]["a"]
    assert len({f["a"] for f in ear.frames}) == len(ear.frames)  # none was told twice
    [row] = await get(simulator, path, symbol="BTCUSDT", fromId=newest)
    assert row["a"] == newest


def test_forgetting_keeps_the_count_of_aggregates() -> None:
    exchange, clock = played(5)
    tape = exchange.symbols["BTCUSDT"].tape
    before = tape.last
    tape.forget(0)
    step(exchange, clock, 2)
    assert before is not None
    assert tape.at(tape.last_id).agg_id > before.agg_id


def test_a_hole_in_an_empty_tape_has_no_time() -> None:
    tape = Tape("X", first_id=5)
    tape.skip(3)
    assert (tape.first_id, len(tape)) == (8, 0)


GOOD = (
    '1700000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000000,"s":"BTCUSDT",'
    '"t":1,"p":"1.5","q":"1","T":1700000000000,"m":true}}'
)


@pytest.mark.parametrize(
    "line",
    [
        '1700000000001 {"stream":"btcusdt@bookTicker","data":{}}',
        '1700000000001 {"stream":"btcusdt@trade"}',
        '1700000000001 {"stream":"btcusdt@trade","data":{"e":"trade"}}',
        GOOD.replace('"t":1', '"t":2').replace("1.5", "1e-5"),
    ],
)
def test_a_line_of_another_shape_ends_its_replay_and_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    path = tmp_path / "capture.txt"
    path.write_text(f"{GOOD}\n{line}\n")
    exchange = make_exchange(
        parser().parse_args(["--symbols", "ETHUSDT", "--speed", "0", "--tape", f"BTCUSDT={path}"])
    )
    for _ in range(3):
        exchange.advance()
    assert f"{path}, line 2: expected a frame of btcusdt@" in capsys.readouterr().err
    assert exchange.symbols["BTCUSDT"].tape.last_id == 1


@pytest.mark.parametrize("words", [["--pace", "0"], ["--speed", "-1"], ["--pace", "nan"]])
def test_absurd_speeds_are_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match="expected --pace > 0"):
        make_exchange(parser().parse_args(words))


@pytest.mark.parametrize("name", ["x.gz", "x.zip", "x.txt"])
def test_what_is_no_recording_is_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x1f\x8b\x08\x00 half a gzip" if name == "x.gz" else b'1 {"stream":5}')
    with pytest.raises(ValueError, match="expected"):
        make_exchange(parser().parse_args(["--tape", f"BTCUSDT={path}"]))
