"""ccxt and its sockets (ccxt.pro), spot and swap; market types set by option, so that nothing but
the simulator is asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.conftest import RunningSimulator, told_by_rest, traded
from tests.simulator.conftest import Serve
from tests.simulator.foreign import clients

SYMBOLS = {"spot": "BTC/USDT", "swap": "BTC/USDT:USDT"}


@asynccontextmanager
async def exchange_of(simulator: RunningSimulator, kind: str) -> AsyncIterator[Any]:
    types = {"spot": ["spot"], "swap": ["linear"]}[kind]
    exchange = clients.ccxt_pro.binance(
        {
            "options": {
                "defaultType": kind,
                "fetchMarkets": {"types": types},
                "fetchCurrencies": False,
                "fetchMargins": False,
            },
            "enableRateLimit": False,
        }
    )
    api = exchange.urls["api"]
    for name in ("public", "private"):
        api[name] = f"{simulator.http}/api/v3"
    for version, name in (("1", ""), ("2", "V2"), ("3", "V3")):
        api[f"fapiPublic{name}"] = f"{simulator.http}/fapi/v{version}"
    api["ws"]["spot"] = f"{simulator.ws}/ws"
    api["ws"]["future"] = f"{simulator.ws}/ws"
    try:
        yield exchange
    finally:
        await exchange.close()


@pytest.mark.parametrize("kind", SYMBOLS)
async def test_markets_candles_trades_and_tickers(serve: Serve, kind: str) -> None:
    simulator = await serve()
    await told_by_rest(simulator, await traded(simulator, 100))
    await told_by_rest(simulator, await traded(simulator, 100, "usdm"), "usdm")
    async with exchange_of(simulator, kind) as exchange:
        markets = await exchange.load_markets()
        symbol = SYMBOLS[kind]
        assert list(markets) == [symbol]
        assert markets[symbol]["precision"]["price"] == (0.01 if kind == "spot" else 0.1)
        ticker = await exchange.fetch_ticker(symbol)
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        candles = await exchange.fetch_ohlcv(symbol, "1m")
        trades = await exchange.fetch_trades(symbol, limit=1000)
        assert candles[-1][4] > 0
        assert trades[-1]["side"] in {"buy", "sell"}
        book = await exchange.fetch_order_book(symbol, limit=20)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert abs(await exchange.fetch_time() - exchange.milliseconds()) < 1000
        if kind == "swap":
            assert (await exchange.fetch_funding_rate(symbol))["markPrice"] > 0
            assert await exchange.fetch_funding_rate_history(symbol)


@pytest.mark.parametrize("kind", SYMBOLS)
@pytest.mark.parametrize(
    "watch",
    [
        lambda e, s: e.watch_trades(s),
        lambda e, s: e.watch_ticker(s),
        lambda e, s: e.watch_ohlcv(s, "1m"),
        lambda e, s: e.watch_bids_asks([s]),
    ],
    ids=["trades", "ticker", "ohlcv", "bids_asks"],
)
async def test_its_sockets_hear(
    serve: Serve, kind: str, watch: Callable[[Any, str], Awaitable[Any]]
) -> None:
    simulator = await serve()
    async with exchange_of(simulator, kind) as exchange, asyncio.timeout(60):
        assert await watch(exchange, SYMBOLS[kind])


async def test_errors_have_ccxts_classes(serve: Serve) -> None:
    simulator = await serve()
    async with exchange_of(simulator, "spot") as exchange:
        with pytest.raises(clients.ccxt_pro.BadSymbol):
            await exchange.public_get_klines({"symbol": "NOPE", "interval": "1m"})
        simulator.exchange.faults.start("status", {"code": 418, "retry_after": 5})
        with pytest.raises(clients.ccxt_pro.DDoSProtection):
            await exchange.public_get_ping()
        simulator.exchange.faults.active.clear()
        simulator.exchange.faults.start("status", {"code": 503})
        with pytest.raises(clients.ccxt_pro.ExchangeNotAvailable):
            await exchange.public_get_ping()
