"""Conditional orders and order lists through clients that we did not write."""

import asyncio
from decimal import Decimal as D
from typing import Any

import aiohttp
import pytest
from binance.exceptions import BinanceAPIException
from binance.ws.streams import BinanceSocketManager

from tests.conftest import RunningSimulator, eventually
from tests.simulator.conftest import Serve, get
from tests.simulator.foreign import clients
from tests.simulator.foreign.test_accounts import client_of, open_account


async def last_price(simulator: RunningSimulator, path: str) -> D:
    said = await get(simulator, f"{path}/ticker/price", symbol="BTCUSDT")
    return D(said["price"])


def near(price: D, factor: str) -> str:
    return f"{(price * D(factor)).quantize(D('0.1'))}"


async def code_of(call: Any) -> int:
    with pytest.raises(BinanceAPIException) as caught:
        await call
    return int(caught.value.code)


async def test_python_binance_places_reads_and_cancels_conditional_orders(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)
    try:
        price = await last_price(simulator, "/fapi/v1")
        key = await client.futures_stream_get_listen_key()
        order = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{simulator.ws}/private/ws/{key}") as socket,
        ):
            placed = await client.futures_create_order(
                **order, type="STOP_MARKET", stopPrice=near(price, "0.9"), clientAlgoId="stop"
            )
            assert (placed["algoStatus"], placed["clientAlgoId"]) == ("NEW", "stop")
            assert placed["selfTradePreventionMode"] == "NONE"
            event = await socket.receive_json()
            assert (event["e"], event["o"]["aid"]) == ("ALGO_UPDATE", placed["algoId"])
        [waiting] = await client.futures_get_open_algo_orders(symbol="BTCUSDT")
        assert D(waiting["triggerPrice"]) == D(near(price, "0.9"))
        one = await client.futures_get_algo_order(clientAlgoId="stop")
        assert (one["algoId"], one["actualOrderId"]) == (placed["algoId"], "")
        gone = await client.futures_cancel_algo_order(algoId=placed["algoId"])
        assert gone["code"] == "200"
        assert await code_of(client.futures_cancel_algo_order(algoId=placed["algoId"])) == -2011
        [kept] = await client.futures_get_all_algo_orders(symbol="BTCUSDT")
        assert kept["algoStatus"] == "CANCELED"
        refused = client._request_futures_api(
            "post", "order", True, data={**order, "type": "STOP_MARKET", "stopPrice": "1000"}
        )
        assert await code_of(refused) == -4120
    finally:
        await client.close_connection()


async def test_python_binance_lets_a_stop_trigger(serve: Serve) -> None:
    """A stop so near that the market comes to it."""
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)
    try:
        await client.futures_create_order(
            symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.05"
        )
        price = await last_price(simulator, "/fapi/v1")
        placed = []
        for factor, kind in (("0.9999", "STOP_MARKET"), ("1.0001", "TAKE_PROFIT_MARKET")):
            placed.append(
                await client.futures_create_algo_order(
                    symbol="BTCUSDT",
                    side="SELL",
                    type=kind,
                    quantity="0.02",
                    triggerPrice=near(price, factor),
                )
            )
        done: list[Any] = []

        async def has_triggered() -> bool:
            states = [await client.futures_get_algo_order(algoId=p["algoId"]) for p in placed]
            done[:] = [state for state in states if state["algoStatus"] == "FINISHED"]
            return bool(done)

        await eventually(has_triggered, 30, "a stop that is done")
        made = await client.futures_get_order(
            symbol="BTCUSDT", orderId=int(done[0]["actualOrderId"])
        )
        assert made["clientOrderId"] == done[0]["clientAlgoId"]
        assert (made["status"], made["executedQty"]) == ("FILLED", "0.02000000")
        assert D(done[0]["actualQty"]) == D("0.02")
    finally:
        await client.close_connection()


async def test_python_binance_places_one_of_two_and_hears_of_it(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)
    price = await last_price(simulator, "/api/v3")
    manager = BinanceSocketManager(client)
    try:
        async with manager.user_socket() as stream:
            placed = await client.create_oco_order(
                symbol="BTCUSDT",
                side="SELL",
                quantity="0.1",
                aboveType="LIMIT_MAKER",
                abovePrice=near(price, "1.2"),
                belowType="STOP_LOSS_LIMIT",
                belowStopPrice=near(price, "0.9"),
                belowPrice=near(price, "0.89"),
                belowTimeInForce="GTC",
            )
            assert (placed["contingencyType"], placed["listOrderStatus"]) == ("OCO", "EXECUTING")
            seen: list[Any] = []
            async with asyncio.timeout(60):
                while sum(event["e"] == "executionReport" for event in seen) < 2:
                    seen.append(await stream.recv())
            assert seen[0]["e"] == "listStatus"
            assert {event["g"] for event in seen if "g" in event} == {placed["orderListId"]}
        both = await client.get_open_orders(symbol="BTCUSDT")
        assert {order["orderListId"] for order in both} == {placed["orderListId"]}
        await client.cancel_order(symbol="BTCUSDT", orderId=both[0]["orderId"])
        assert await client.get_open_orders(symbol="BTCUSDT") == []
        assert await client.get_open_oco_orders() == []
    finally:
        await client.close_connection()


async def test_binances_own_sdk_places_lists_of_every_kind(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    price = float(await last_price(simulator, "/api/v3"))
    config = clients.ConfigurationRestAPI(
        api_key=account["apiKey"], api_secret=account["secretKey"], base_path=simulator.http
    )

    def at(factor: float) -> float:
        return round(price * factor, 1)

    def use() -> None:
        api: Any = clients.Spot(config_rest_api=config).rest_api
        working = {
            "symbol": "BTCUSDT",
            "working_type": "LIMIT",
            "working_side": "BUY",
            "working_price": at(0.8),
            "working_quantity": 0.01,
            "working_time_in_force": "GTC",
            "pending_side": "SELL",
        }
        pair = {
            "pending_above_type": "LIMIT_MAKER",
            "pending_above_price": at(1.2),
            "pending_below_type": "STOP_LOSS",
            "pending_below_stop_price": at(0.7),
        }
        single = {
            "pending_type": "LIMIT",
            "pending_price": at(1.2),
            "pending_time_in_force": "GTC",
        }
        lists = [
            api.order_list_oto(**working, **single, pending_quantity=0.01),
            api.order_list_otoco(**working, **pair, pending_quantity=0.01),
            api.order_list_opo(**working, **single),
            api.order_list_opoco(**working, **pair),
        ]
        assert [len(said.data().orders) for said in lists] == [2, 3, 2, 3]
        first = lists[0].data()
        assert [report.status for report in first.order_reports] == ["NEW", "PENDING_NEW"]
        assert len(api.open_order_list().data()) == 4
        gone = api.delete_order_list("BTCUSDT", order_list_id=first.order_list_id).data()
        assert gone.list_order_status == "ALL_DONE"
        assert {report.status for report in gone.order_reports} == {"CANCELED"}

    await asyncio.to_thread(use)


async def test_binances_own_sdk_reads_conditional_orders(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    price = float(await last_price(simulator, "/fapi/v1"))
    config = clients.ConfigurationRestAPI(
        api_key=account["apiKey"], api_secret=account["secretKey"], base_path=simulator.http
    )

    def use() -> None:
        api: Any = clients.DerivativesTradingUsdsFutures(config_rest_api=config).rest_api
        placed = api.new_algo_order(
            algo_type="CONDITIONAL",
            symbol="BTCUSDT",
            side="SELL",
            type="TRAILING_STOP_MARKET",
            quantity=0.01,
            callback_rate=1.5,
            activate_price=round(price * 1.1, 1),
        ).data()
        assert (placed.algo_status, placed.callback_rate) == ("NEW", "1.5")
        [waiting] = api.current_all_algo_open_orders().data()
        assert waiting.algo_id == placed.algo_id
        assert api.query_algo_order(algo_id=placed.algo_id).data().order_type == waiting.order_type
        api.cancel_all_algo_open_orders(symbol="BTCUSDT")
        [kept] = api.query_all_algo_orders(symbol="BTCUSDT").data()
        assert kept.algo_status == "CANCELED"
        said = api.auto_cancel_all_open_orders(symbol="BTCUSDT", countdown_time=5000).data()
        assert said.countdown_time == "5000"

    await asyncio.to_thread(use)


async def test_ccxt_places_reads_and_cancels_a_stop_of_futures(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    exchange = clients.ccxt.binance(
        {
            "apiKey": account["apiKey"],
            "secret": account["secretKey"],
            "options": {
                "defaultType": "swap",
                "fetchMarkets": {"types": ["linear"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
            },
            "enableRateLimit": False,
        }
    )
    for kind in ("Public", "Private"):
        for version, name in (("1", ""), ("2", "V2"), ("3", "V3")):
            exchange.urls["api"][f"fapi{kind}{name}"] = f"{simulator.http}/fapi/v{version}"
    symbol = "BTC/USDT:USDT"
    try:
        await exchange.load_markets()
        price = float(await last_price(simulator, "/fapi/v1"))
        stop = await exchange.create_order(
            symbol, "market", "sell", 0.01, None, {"stopLossPrice": round(price * 0.9, 1)}
        )
        [waiting] = await exchange.fetch_open_orders(symbol, params={"trigger": True})
        assert (waiting["id"], waiting["triggerPrice"]) == (stop["id"], round(price * 0.9, 1))
        await exchange.cancel_order(stop["id"], symbol, {"trigger": True})
        assert await exchange.fetch_open_orders(symbol, params={"trigger": True}) == []
    finally:
        await exchange.close()


async def test_python_binance_changes_leverage_margin_and_position_mode(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)
    try:
        told = await client.futures_change_leverage(symbol="BTCUSDT", leverage=7)
        assert (told["symbol"], told["leverage"]) == ("BTCUSDT", 7)
        assert await code_of(client.futures_change_leverage(symbol="BTCUSDT", leverage=126)) == (
            -4028
        )
        isolated = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
        await client.futures_change_margin_type(**isolated)
        assert await code_of(client.futures_change_margin_type(**isolated)) == -4046
        (config,) = await client.futures_symbol_config(symbol="BTCUSDT")
        assert (config["leverage"], config["marginType"]) == (7, "ISOLATED")
        assert (await client.futures_get_position_mode())["dualSidePosition"] is False
        await client.futures_change_position_mode(dualSidePosition="true")
        assert (await client.futures_get_position_mode())["dualSidePosition"] is True
        market = {"symbol": "BTCUSDT", "type": "MARKET", "quantity": "0.01"}
        for side, position_side in (("BUY", "LONG"), ("SELL", "SHORT")):
            await client.futures_create_order(side=side, positionSide=position_side, **market)
        held = await client.futures_position_information(version=3)
        amounts = {row["positionSide"]: D(row["positionAmt"]) for row in held}
        assert (amounts["LONG"], amounts["SHORT"]) == (D("0.01"), D("-0.01"))
        assert await code_of(client.futures_change_position_mode(dualSidePosition="false")) == -4068
    finally:
        await client.close_connection()
