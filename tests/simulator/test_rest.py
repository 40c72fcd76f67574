"""REST over real HTTP: shapes, weights, limits that grow, and the exact truth."""

from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from simulator.app import Options
from simulator.limits import Rate, Weights
from tests.conftest import eventually, told_by_rest, traded
from tests.simulator.conftest import Serve, get


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("/api/v3/ping", {}, 1),
        ("/api/v3/exchangeInfo", {}, 20),
        ("/api/v3/depth", {"symbol": "BTCUSDT"}, 5),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": 500}, 25),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": 1000}, 50),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": 5000}, 250),
        ("/api/v3/trades", {"symbol": "BTCUSDT"}, 25),
        ("/api/v3/historicalTrades", {"symbol": "BTCUSDT"}, 25),
        ("/api/v3/aggTrades", {"symbol": "BTCUSDT"}, 4),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m"}, 2),
        ("/api/v3/uiKlines", {"symbol": "BTCUSDT", "interval": "1m"}, 2),
        ("/api/v3/avgPrice", {"symbol": "BTCUSDT"}, 2),
        ("/api/v3/ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("/api/v3/ticker/24hr", {}, 80),
        ("/api/v3/ticker/price", {"symbol": "BTCUSDT"}, 2),
        ("/api/v3/ticker/price", {}, 4),
        ("/api/v3/ticker/bookTicker", {}, 4),
        ("/api/v3/ticker", {"symbol": "BTCUSDT", "windowSize": "4h"}, 4),
        ("/api/v3/ticker/tradingDay", {"symbols": '["BTCUSDT"]'}, 4),
        ("/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": 1000}, 20),
        ("/fapi/v1/trades", {"symbol": "BTCUSDT"}, 5),
        ("/fapi/v1/aggTrades", {"symbol": "BTCUSDT"}, 20),
        ("/fapi/v1/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 1500}, 10),
        (
            "/fapi/v1/continuousKlines",
            {"pair": "BTCUSDT", "contractType": "PERPETUAL", "interval": "1m"},
            5,
        ),
        ("/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"}, 1),
        ("/fapi/v1/fundingRate", {"symbol": "BTCUSDT"}, 0),
        ("/fapi/v1/openInterest", {"symbol": "BTCUSDT"}, 1),
        ("/fapi/v1/ticker/24hr", {}, 40),
        ("/fapi/v2/ticker/price", {"symbol": "BTCUSDT"}, 1),
    ],
)
async def test_every_endpoint_answers_and_weighs_what_binance_says(
    serve: Serve, path: str, query: dict[str, Any], weight: int
) -> None:
    simulator = await serve()
    for market in simulator.exchange.markets:
        await told_by_rest(simulator, await traded(simulator, 20, market), market)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.http}{path}", params=query) as answer,
    ):
        body = await answer.json()
        assert answer.status == 200, body
        assert answer.headers["X-MBX-USED-WEIGHT-1M"] == str(weight)
    assert body != {} or path.endswith("ping")


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/api/v3/depth", {}, -1102),
        ("/api/v3/depth", {"symbol": "NOPE"}, -1121),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": "x"}, -1100),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": "0"}, -1130),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "timeZone": "x"}, -1106),
        ("/api/v3/ticker", {"symbol": "BTCUSDT", "windowSize": "60m"}, -1138),
        ("/api/v3/ticker", {}, -1128),
        ("/api/v3/ticker/24hr", {"symbol": "BTCUSDT", "symbols": "[]"}, -1101),
        ("/api/v3/ticker/24hr", {"symbols": "BTCUSDT"}, -1100),
        ("/api/v3/ticker/24hr", {"type": "X"}, -1139),
        ("/api/v3/historicalBlockTrades", {"symbol": "BTCUSDT"}, -1102),
        ("/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "7"}, -4021),
        ("/fapi/v1/historicalTrades", {"symbol": "BTCUSDT"}, -2014),
        ("/fapi/v1/aggTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}, -1128),
        ("/fapi/v1/aggTrades", {"symbol": "BTCUSDT", "startTime": 1, "endTime": 10**12}, -4188),
        ("/fapi/v1/continuousKlines", {"pair": "NOPE", "contractType": "PERPETUAL"}, -1121),
    ],
)
async def test_refusals_are_in_binances_words(
    serve: Serve, path: str, query: dict[str, Any], code: int
) -> None:
    simulator = await serve()
    assert (await get(simulator, path, **query))["code"] == code


async def test_too_much_weight_is_429_and_going_on_is_418(serve: Serve) -> None:
    simulator = await serve(options=Options(first_ban_seconds=2.0))
    async with aiohttp.ClientSession() as session:

        async def ask() -> tuple[int, int, dict[str, Any]]:
            url = f"{simulator.http}/api/v3/depth?symbol=BTCUSDT&limit=5000"
            async with session.get(url) as answer:
                wait = int(answer.headers.get("Retry-After", 0))
                return answer.status, wait, await answer.json()

        answers = [await ask() for _ in range(24 + 11)]
        if any(status == 418 for status, _, _ in answers):
            statuses = [status for status, _, _ in answers]
            assert statuses == [200] * 24 + [429] * 10 + [418]
            assert 0 < answers[30][1] <= 60
            assert answers[30][2]["code"] == -1003
            assert "IP banned until" in answers[-1][2]["msg"]
            assert (await get(simulator, "/fapi/v1/ping")) == {}  # futures have their own budget


def test_bans_grow_and_end() -> None:
    now = [1_000_020.0]
    weights = Weights("spot", lambda: now[0], first_ban_seconds=120)
    assert weights.take(6000) is None
    refused = [weights.take(1) for _ in range(11)]
    assert [r.status for r in refused if r] == [429] * 10 + [418]
    assert refused[-1] is not None
    assert refused[-1].retry_after == 121
    now[0] += 121
    assert weights.take(6000) is None
    for _ in range(11):
        refused.append(weights.take(1))
    assert refused[-1] is not None
    assert refused[-1].retry_after == 241


def test_a_rate_forgets() -> None:
    now = [0.0]
    rate = Rate(2, 1.0, lambda: now[0])
    assert [rate.allows() for _ in range(3)] == [True, True, False]
    now[0] = 5.0
    assert rate.allows()


@pytest.mark.parametrize("interval", ["1s", "1m", "3d", "1w", "1M"])
async def test_candles_of_every_length_agree_with_the_trades(serve: Serve, interval: str) -> None:
    simulator = await serve()
    tape = simulator.exchange.symbols["BTCUSDT"].tape
    await traded(simulator)
    simulator.exchange.clock_offset_us += 1_500_000  # the market makes up for it
    await eventually(lambda: tape.at(tape.last_id).time > tape.at(tape.first_id).time + 1_200_000)
    simulator.exchange.symbols["BTCUSDT"].source.is_halted = True  # type: ignore[attr-defined]
    rows = await get(simulator, "/api/v3/klines", symbol="BTCUSDT", interval=interval)
    trades = list(tape.between(0, 2**62))
    assert sum(row[8] for row in rows) == len(trades)
    assert sum(Decimal(row[5]) for row in rows) == Decimal(sum(t.quantity for t in trades)).scaleb(
        -8
    )
    if interval == "1w":
        assert rows[0][0] % (7 * 86_400_000) == 4 * 86_400_000  # a Monday


async def test_candles_can_have_another_midnight(serve: Serve) -> None:
    simulator = await serve()
    await traded(simulator)
    [row] = await get(simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1d", timeZone="5:30")
    assert (row[0] + 5.5 * 3_600_000) % 86_400_000 == 0


async def test_funding_has_a_history_and_the_mark_price_announces_the_next(serve: Serve) -> None:
    simulator = await serve()
    rows = await get(simulator, "/fapi/v1/fundingRate", symbol="BTCUSDT", limit=10)
    times = [row["fundingTime"] for row in rows]
    assert times == list(range(times[0], times[0] + 10 * 28_800_000, 28_800_000))
    again = await get(
        simulator, "/fapi/v1/fundingRate", symbol="BTCUSDT", startTime=times[3], limit=2
    )
    assert again == rows[3:5]
    mark = await get(simulator, "/fapi/v1/premiumIndex", symbol="BTCUSDT")
    assert mark["nextFundingTime"] == times[-1] + 28_800_000


async def test_the_truth_of_futures_is_of_aggregates_or_of_trades(serve: Serve) -> None:
    simulator = await serve()
    await traded(simulator, 200, "usdm")
    query: dict[str, Any] = {"symbol": "BTCUSDT", "market": "usdm"}
    by_trade = await get(simulator, "/simulator/truth", of="trades", **query)
    by_aggregate = await get(simulator, "/simulator/truth", **query)
    minute = min(by_trade)
    assert by_aggregate[minute]["trades"] < by_trade[minute]["trades"]
    assert (await get(simulator, "/simulator/truth", symbol="BTCUSDT", market="x"))["code"] == -1
