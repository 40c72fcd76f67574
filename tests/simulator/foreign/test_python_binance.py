"""python-binance: REST, streams and its depth cache."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from binance import AsyncClient, BinanceSocketManager
from binance.exceptions import BinanceAPIException

from tests.conftest import RunningSimulator, told_by_rest, traded
from tests.simulator.conftest import Serve


def client_of(simulator: RunningSimulator) -> AsyncClient:
    class Client(AsyncClient):
        API_URL = f"{simulator.http}/api"
        FUTURES_URL = f"{simulator.http}/fapi"

    return Client()


def sockets_of(simulator: RunningSimulator, client: AsyncClient) -> BinanceSocketManager:
    class Sockets(BinanceSocketManager):
        STREAM_URL = f"{simulator.ws}/"
        FSTREAM_URL = f"{simulator.ws}/"

    return Sockets(client)


async def test_markets_candles_trades_and_tickers(serve: Serve) -> None:
    simulator = await serve()
    await told_by_rest(simulator, await traded(simulator, 100))
    await told_by_rest(simulator, await traded(simulator, 100, "usdm"), "usdm")
    client = client_of(simulator)
    try:
        await client.ping()
        info = await client.get_symbol_info("BTCUSDT")
        assert info["filters"][0]["tickSize"] == "0.01000000"
        trades = await client.get_recent_trades(symbol="BTCUSDT", limit=50)
        await told_by_rest(simulator, trades[0]["id"])
        older = await client.get_historical_trades(symbol="BTCUSDT", fromId=trades[0]["id"])
        assert older[0] == trades[0]
        aggregates = await client.get_aggregate_trades(symbol="BTCUSDT", limit=10)
        assert [a["a"] for a in aggregates] == sorted(a["a"] for a in aggregates)
        candles = await client.get_klines(symbol="BTCUSDT", interval="1m")
        assert len(candles[0]) == 12
        ticker = await client.get_ticker(symbol="BTCUSDT")
        assert ticker["lastId"] - ticker["firstId"] + 1 == ticker["count"]
        assert (await client.get_avg_price(symbol="BTCUSDT"))["mins"] == 5
        book = await client.get_order_book(symbol="BTCUSDT")
        assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])
        assert (await client.futures_exchange_info())["symbols"][0]["contractType"] == "PERPETUAL"
        assert await client.futures_klines(symbol="BTCUSDT", interval="1m")
        assert await client.futures_mark_price(symbol="BTCUSDT")
        assert await client.futures_funding_rate(symbol="BTCUSDT")
        assert await client.futures_aggregate_trades(symbol="BTCUSDT")
        with pytest.raises(BinanceAPIException) as refused:
            await client.get_klines(symbol="NOPE", interval="1m")
        assert refused.value.code == -1121
    finally:
        await client.close_connection()


@pytest.mark.parametrize(
    ("socket", "event"),
    [
        (lambda m: m.trade_socket("BTCUSDT"), "trade"),
        (lambda m: m.aggtrade_socket("BTCUSDT"), "aggTrade"),
        (lambda m: m.kline_socket("BTCUSDT", "1m"), "kline"),
        (lambda m: m.symbol_ticker_socket("BTCUSDT"), "24hrTicker"),
        (lambda m: m.symbol_miniticker_socket("BTCUSDT"), "24hrMiniTicker"),
        (lambda m: m.depth_socket("BTCUSDT"), "depthUpdate"),
        (lambda m: m.symbol_mark_price_socket("BTCUSDT"), "markPriceUpdate"),
        (lambda m: m.aggtrade_futures_socket("BTCUSDT"), "aggTrade"),
        (lambda m: m.symbol_book_ticker_socket("BTCUSDT"), None),
    ],
)
async def test_its_sockets_hear(serve: Serve, socket: Any, event: str | None) -> None:
    simulator = await serve()
    client = client_of(simulator)
    try:
        async with asyncio.timeout(60), socket(sockets_of(simulator, client)) as stream:
            frame = await stream.recv()
        frame = frame.get("data", frame)
        assert frame.get("e") == event
        assert frame["s"] == "BTCUSDT"
    finally:
        await client.close_connection()
