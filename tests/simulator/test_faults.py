"""Faults over the control API and from a script: each strikes where and when it was asked to."""

import asyncio
import contextlib
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from simulator.app import Options
from simulator.faults import ARGUMENTS, FRAME_KINDS
from simulator.injector import read_script
from tests.conftest import RunningSimulator, eventually, told_by_rest, traded
from tests.simulator.conftest import Serve, end_faults, get, listening, post


async def texts(socket: ClientConnection, seconds: float) -> list[str]:
    heard: list[str] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                heard.append(str(await socket.recv()))
    return heard


async def strike(simulator: RunningSimulator, kind: str, **arguments: Any) -> dict[str, Any]:
    begun: dict[str, Any] = await post(simulator, f"/simulator/faults/{kind}", **arguments)
    assert "code" not in begun or kind == "status", begun
    return begun


@pytest.mark.parametrize("kind", FRAME_KINDS)
async def test_a_share_of_frames_is_spoilt_for_some_seconds(serve: Serve, kind: str) -> None:
    simulator = await serve()
    async with listening(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        await strike(simulator, kind, rate=0.3, seconds=1.0)
        heard = await texts(socket, 1.2)
        count = simulator.exchange.faults.counts[kind]
        assert count > 0
        ids, odd = [], 0
        for text in heard:
            try:
                trade = json.loads(text)
                assert trade["e"] == "trade"
                assert isinstance(trade["p"], str)
                ids.append(trade["t"])
            except (ValueError, AssertionError):
                odd += 1
        assert (odd > 0) == (kind in {"truncate", "unknown", "wrong_types"})
        assert (len(ids) > len(set(ids))) == (kind == "double")
        assert (ids != sorted(ids)) == (kind == "swap")
        await texts(socket, 0.2)
        after = [json.loads(text)["t"] for text in await texts(socket, 0.5)]
        assert after == list(range(after[0], after[0] + len(after)))  # it is over


async def test_a_silent_stream_says_nothing_though_its_socket_lives(serve: Serve) -> None:
    simulator = await serve()
    async with listening(
        f"{simulator.ws}/stream?streams=btcusdt@trade/btcusdt@bookTicker"
    ) as socket:
        await strike(simulator, "silence", stream="btcusdt@trade", seconds=60)
        await texts(socket, 0.2)
        heard = {json.loads(text)["stream"] for text in await texts(socket, 0.6)}
        assert heard == {"btcusdt@bookTicker"}
        end_faults(simulator)
        async with asyncio.timeout(60):
            while json.loads(await socket.recv())["stream"] != "btcusdt@trade":
                pass


async def test_a_half_open_connection_is_dead_and_does_not_say_so(serve: Serve) -> None:
    simulator = await serve()
    async with (
        listening(f"{simulator.ws}/ws/btcusdt@trade", close_timeout=0.5) as dead,
        listening(f"{simulator.ws}/ws/btcusdt@bookTicker") as alive,
    ):
        begun = await strike(simulator, "half_open", stream="*@trade")
        assert begun["connections"] == 1
        await texts(dead, 0.2)
        assert await texts(dead, 0.5) == []
        pong = await dead.ping()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await pong
        assert await texts(alive, 0.5)


async def test_delayed_frames_come_late_and_in_order(serve: Serve) -> None:
    simulator = await serve()
    async with listening(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        await strike(simulator, "delay", ms=400, seconds=1.0)
        heard: list[tuple[int, float]] = []
        async with asyncio.timeout(60):
            while len(heard) < 60:
                trade = json.loads(await socket.recv())
                heard.append((trade["t"], time.time() - trade["T"] / 1000))
    ids = [trade_id for trade_id, _ in heard]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert max(late for _, late in heard) > 0.2


async def test_a_cut_may_choose_its_stream(serve: Serve) -> None:
    simulator = await serve()
    async with (
        listening(f"{simulator.ws}/ws/btcusdt@trade") as cut,
        listening(f"{simulator.ws}/ws/btcusdt@bookTicker") as alive,
    ):
        assert (await strike(simulator, "cut", stream="*@trade"))["connections"] == 1
        with pytest.raises(ConnectionClosed):
            while True:
                await cut.recv()
        assert await texts(alive, 0.3)


@pytest.mark.parametrize(
    ("code", "body"),
    [(429, "-1003"), (418, "-1003"), (403, "<html>"), (500, "<html>"), (503, "<html>")],
)
async def test_rest_answers_a_status_as_the_exchange_would(
    serve: Serve, code: int, body: str
) -> None:
    simulator = await serve()
    await strike(simulator, "status", code=code, path="*/time", retry_after=7)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{simulator.http}/api/v3/time") as answer:
            assert answer.status == code
            assert answer.headers["Retry-After"] == "7"
            assert body in await answer.text()
        async with session.get(f"{simulator.http}/api/v3/ping") as answer:
            assert answer.status == 200
    assert simulator.exchange.faults.counts[f"status {code}"] == 1


async def test_a_hanging_request_is_not_answered(serve: Serve) -> None:
    simulator = await serve()
    await strike(simulator, "hang", path="*/time", seconds=2)
    timeout = aiohttp.ClientTimeout(total=0.5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        with pytest.raises(TimeoutError):
            await session.get(f"{simulator.http}/api/v3/time")


async def test_the_clock_can_be_moved(serve: Serve) -> None:
    simulator = await serve()
    await strike(simulator, "clock", ms=-5000)
    server_time = (await get(simulator, "/api/v3/time"))["serverTime"]
    assert -6000 < server_time - time.time() * 1000 < -4000


async def test_an_unfillable_hole_is_known_to_nobody(serve: Serve) -> None:
    simulator = await serve()
    async with listening(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        before = [json.loads(text)["t"] for text in await texts(socket, 0.4)]
        await strike(simulator, "hole", symbol="BTCUSDT", market="spot", ids=7)
        after = [json.loads(text)["t"] for text in await texts(socket, 0.6)]
    ids = [*before, *after]
    missing = set(range(ids[0], ids[-1])) - set(ids)
    assert len(missing) == 7
    await told_by_rest(simulator, max(missing) + 1)
    rows = await get(simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=min(missing))
    assert rows[0]["id"] == max(missing) + 1


async def test_a_fillable_hole_is_known_to_rest(serve: Serve) -> None:
    simulator = await serve()
    async with listening(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        before = [json.loads(text)["t"] for text in await texts(socket, 0.4)]
        await strike(simulator, "hole", symbol="BTCUSDT", market="spot", ids=7, fillable=True)
        after = [json.loads(text)["t"] for text in await texts(socket, 0.6)]
    ids = [*before, *after]
    missing = sorted(set(range(ids[0], ids[-1])) - set(ids))
    assert len(missing) == 7
    await told_by_rest(simulator, missing[-1])
    rows = await get(
        simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=missing[0], limit=7
    )
    assert [row["id"] for row in rows] == missing


async def test_rest_can_fall_far_behind_the_streams(serve: Serve) -> None:
    simulator = await serve()
    known_id = await traded(simulator, 20)
    await told_by_rest(simulator, known_id)
    await strike(simulator, "rest_lag", ms=60_000, seconds=60)
    newest = await get(simulator, "/api/v3/trades", symbol="BTCUSDT", limit=1)
    assert newest[0]["id"] >= known_id  # from memory
    rows = await get(simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=known_id)
    assert rows == []


async def test_forgotten_history_and_a_wiped_tape(serve: Serve) -> None:
    simulator = await serve()
    async with listening(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        while json.loads(await socket.recv())["t"] < 1_000_065:
            pass  # more trades than are kept
    await strike(simulator, "forget", symbol="BTCUSDT", market="spot", kept=60)
    rows = await get(simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=1)
    assert rows[0]["id"] > 1_000_001
    await strike(simulator, "wipe", symbol="BTCUSDT", market="spot")
    async with listening(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        [first, *_] = await texts(socket, 0.5)
    assert json.loads(first)["t"] < 1000


async def test_a_halt_stops_trading(serve: Serve) -> None:
    simulator = await serve()
    await strike(simulator, "halt")
    async with listening(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        await texts(socket, 0.1)
        assert await texts(socket, 0.5) == []
        await strike(simulator, "halt", on=False)
        assert await texts(socket, 0.5)


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("earthquake", {}, "expected a fault of drop, double"),
        ("silence", {"streem": "x"}, "expected silence with stream, seconds"),
        ("silence", {"seconds": "long"}, "expected seconds of silence as a number"),
        ("hole", {"fillable": 1}, "expected fillable of hole as true or false"),
        ("drop", {"rate": -1}, "expected rate of drop as a number between 0 and 1"),
    ],
)
async def test_a_wrong_fault_is_refused_with_what_was_expected(
    serve: Serve, kind: str, arguments: dict[str, Any], said: str
) -> None:
    simulator = await serve()
    answer = await post(simulator, f"/simulator/faults/{kind}", **arguments)
    assert said in answer["msg"]
    assert not simulator.exchange.faults.counts


async def test_what_goes_on_is_shown(serve: Serve) -> None:
    simulator = await serve()
    await strike(simulator, "silence", stream="x@trade", seconds=5)
    shown = await get(simulator, "/simulator/faults")
    assert [item["kind"] for item in shown["active"]] == ["silence"]
    assert shown["counts"] == {"silence": 1}
    assert set(shown["kinds"]) == set(ARGUMENTS)
    status = await get(simulator, "/simulator/status")
    assert set(status["symbols"]) == {"spot:BTCUSDT", "usdm:BTCUSDT"}


SCRIPT = """
seed = 5
[rates]
double = 0.2
[[fault]]
kind = "cut"
at = 0.2
every = 0.2
[[fault]]
kind = "silence"
at = 0.1
stream = "btcusdt@nothing"
seconds = 1
"""


async def test_a_script_strikes_at_its_times(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(SCRIPT)
    began = time.monotonic()
    simulator = await serve(options=Options(script=read_script(path)))
    counts = simulator.exchange.faults.counts
    await eventually(lambda: counts["cut"] >= 3, what="three cuts")
    assert time.monotonic() - began > 0.2 + 2 * 0.1  # every 0.2 s, or half of that
    assert counts["silence"] == 1
    assert simulator.exchange.faults.rates["double"] == 0.2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml", "expected a TOML file of faults"),
        ("what = 1", "expected seed, rates and fault, was what"),
        ('[[fault]]\nkind = "quake"', "fault 1: expected a fault of"),
        ('[[fault]]\nkind = "cut"\nat = -1', "fault 1: expected at and every"),
        ("[rates]\nquake = 1", "expected cut_every"),
    ],
)
def test_a_wrong_script_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_script(path)
