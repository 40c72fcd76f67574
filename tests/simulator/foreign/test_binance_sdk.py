"""Binance's own SDKs: their models refuse what the exchange would not say."""

import asyncio
from typing import Any

import pytest

from tests.conftest import RunningSimulator, told_by_rest, traded
from tests.simulator.conftest import Serve
from tests.simulator.foreign import clients
from tests.waiting import until


def spot(simulator: RunningSimulator) -> Any:
    return clients.Spot(
        config_rest_api=clients.ConfigurationRestAPI(base_path=simulator.http, retries=0),
        config_ws_streams=clients.ConfigurationWebSocketStreams(stream_url=simulator.ws),
    )


def futures(simulator: RunningSimulator) -> Any:
    return clients.DerivativesTradingUsdsFutures(
        config_rest_api=clients.ConfigurationRestAPI(base_path=simulator.http, retries=0),
        config_ws_streams=clients.ConfigurationWebSocketStreams(stream_url=simulator.ws),
    )


async def test_spot_rest(serve: Serve) -> None:
    simulator = await serve()
    await told_by_rest(simulator, await traded(simulator, 100))

    def ask() -> None:
        rest = spot(simulator).rest_api
        info = rest.exchange_info(symbol="BTCUSDT").data()
        assert info.symbols[0].base_asset == "BTC"
        assert info.rate_limits[0].limit == 6000
        trades = rest.get_trades("BTCUSDT", limit=5).data()
        assert len(trades) == 5

        def older() -> Any:
            return rest.historical_trades("BTCUSDT", from_id=trades[0].id).data()

        until(lambda: bool(older()), what="the trades from the database, which lags")
        assert older()[0].model_dump() == trades[0].model_dump()
        assert rest.agg_trades("BTCUSDT", limit=5).data()
        assert rest.klines("BTCUSDT", "1m").data()
        assert rest.depth("BTCUSDT", limit=5).data().bids
        assert rest.avg_price("BTCUSDT").data().mins == 5
        rest.ticker24hr(symbol="BTCUSDT").data()
        rest.ticker_price(symbol="BTCUSDT").data()
        rest.ticker_book_ticker(symbol="BTCUSDT").data()
        rest.ticker(symbol="BTCUSDT", window_size="1h").data()
        assert rest.time().data().server_time > 10**12
        with pytest.raises(clients.BadRequestError, match="Invalid symbol"):
            rest.get_trades("NOPE")

    await asyncio.to_thread(ask)


async def test_futures_rest(serve: Serve) -> None:
    simulator = await serve()
    await told_by_rest(simulator, await traded(simulator, 100, "usdm"), "usdm")

    def ask() -> None:
        rest = futures(simulator).rest_api
        info = rest.exchange_information().data()
        assert info.symbols[0].contract_type == "PERPETUAL"
        assert rest.recent_trades_list("BTCUSDT", limit=5).data()
        assert rest.compressed_aggregate_trades_list("BTCUSDT", limit=5).data()
        assert rest.kline_candlestick_data("BTCUSDT", "1m").data()
        assert rest.order_book("BTCUSDT", limit=5).data().asks
        rest.mark_price(symbol="BTCUSDT").data()
        rest.get_funding_rate_history(symbol="BTCUSDT").data()
        rest.ticker24hr_price_change_statistics(symbol="BTCUSDT").data()
        rest.symbol_order_book_ticker(symbol="BTCUSDT").data()
        rest.symbol_price_ticker_v2(symbol="BTCUSDT").data()
        rest.open_interest("BTCUSDT").data()

    await asyncio.to_thread(ask)


async def test_a_ban_has_its_class(serve: Serve) -> None:
    simulator = await serve()
    simulator.exchange.faults.start("status", {"code": 418, "retry_after": 5})
    with pytest.raises(clients.RateLimitBanError):
        await asyncio.to_thread(lambda: spot(simulator).rest_api.ping())


SPOT_STREAMS = {
    "trade": lambda c: c.trade(symbol="btcusdt"),
    "agg_trade": lambda c: c.agg_trade(symbol="btcusdt"),
    "kline": lambda c: c.kline(symbol="btcusdt", interval="1m"),
    "book_ticker": lambda c: c.book_ticker(symbol="btcusdt"),
    "diff": lambda c: c.diff_book_depth(symbol="btcusdt", update_speed="100ms"),
    "partial": lambda c: c.partial_book_depth(symbol="btcusdt", levels="5", update_speed="100ms"),
    "ticker": lambda c: c.ticker(symbol="btcusdt"),
    "mini": lambda c: c.mini_ticker(symbol="btcusdt"),
    "avg": lambda c: c.avg_price(symbol="btcusdt"),
    "window": lambda c: c.rolling_window_ticker(symbol="btcusdt", window_size="1h"),
}
FUTURES_STREAMS = {
    "aggregate": lambda c: c.aggregate_trade_streams(symbol="btcusdt"),
    "kline": lambda c: c.kline_candlestick_streams(symbol="btcusdt", interval="1m"),
    "best": lambda c: c.individual_symbol_book_ticker_streams(symbol="btcusdt"),
    "diff": lambda c: c.diff_book_depth_streams(symbol="btcusdt", update_speed="100ms"),
    "partial": lambda c: c.partial_book_depth_streams(symbol="btcusdt", levels=5),
    "mark": lambda c: c.mark_price_stream(symbol="btcusdt", update_speed="1s"),
    "ticker": lambda c: c.individual_symbol_ticker_streams(symbol="btcusdt"),
    "mini": lambda c: c.individual_symbol_mini_ticker_stream(symbol="btcusdt"),
}


@pytest.mark.parametrize(
    ("make", "stream"),
    [
        *((spot, s) for s in SPOT_STREAMS.values()),
        *((futures, s) for s in FUTURES_STREAMS.values()),
    ],
    ids=[*(f"spot-{name}" for name in SPOT_STREAMS), *(f"usdm-{name}" for name in FUTURES_STREAMS)],
)
async def test_its_streams_hear(serve: Serve, make: Any, stream: Any) -> None:
    simulator = await serve()
    connection = await make(simulator).websocket_streams.create_connection()
    heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def on_message(data: Any) -> None:
        if not heard.done():
            heard.set_result(data)

    try:
        handle = await stream(connection)
        handle.on("message", on_message)
        async with asyncio.timeout(60):
            data = await heard
        assert not isinstance(data, dict), data  # a model of theirs, not a raw message
    finally:
        await connection.close_connection(close_session=True)
