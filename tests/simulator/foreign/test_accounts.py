"""Accounts through clients that we did not write: python-binance, ccxt, Binance's own SDKs."""

import asyncio
from decimal import Decimal as D
from typing import Any

import aiohttp
import pytest
from binance.async_client import AsyncClient
from binance.exceptions import BinanceAPIException
from binance.ws.streams import BinanceSocketManager

from tests.conftest import RunningSimulator, told_by_rest, traded
from tests.simulator.conftest import Serve, get, post
from tests.simulator.foreign import clients

ALL = {"enableSpotAndMarginTrading": True, "enableFutures": True}
SPOT = {"USDT": "100000", "BTC": "1", "BNB": "2"}


async def open_account(simulator: RunningSimulator, kind: str = "hmac", **more: Any) -> Any:
    asked = {"balances": SPOT, "futures": {"USDT": "50000"}, "kind": kind, "permissions": ALL}
    opened = await post(simulator, "/simulator/accounts", **{**asked, **more})
    for market in simulator.exchange.markets:
        await traded(simulator, market=market)
    return opened


class Client(AsyncClient):
    """python-binance at our address."""


def client_of(simulator: RunningSimulator, account: Any) -> Any:
    made = type(
        "Here",
        (Client,),
        {
            "API_URL": f"{simulator.http}/api",
            "MARGIN_API_URL": f"{simulator.http}/sapi",
            "FUTURES_URL": f"{simulator.http}/fapi",
            "WS_API_URL": f"{simulator.ws}/ws-api/v3",
        },
    )
    key, secret = account["apiKey"], account["secretKey"]
    if account["kind"] == "hmac":
        return made(key, secret)
    return made(key, private_key=secret)


@pytest.mark.parametrize("kind", ["hmac", "ed25519", "rsa"])
async def test_python_binance_trades_spot_with_each_kind_of_key(serve: Serve, kind: str) -> None:
    simulator = await serve()
    account = await open_account(simulator, kind)
    client = client_of(simulator, account)
    try:
        before = await client.get_account()
        assert before["uid"] == account["uid"]
        bought = await client.create_order(
            symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01", newClientOrderId="one"
        )
        assert bought["status"] == "FILLED"
        assert sum(D(fill["qty"]) for fill in bought["fills"]) == D("0.01")
        fees = sum(D(fill["commission"]) for fill in bought["fills"])
        assert {fill["commissionAsset"] for fill in bought["fills"]} == {"BNB"}
        after = {b["asset"]: b for b in (await client.get_account())["balances"]}
        assert D(after["BTC"]["free"]) == D("1.01")
        assert D(after["BNB"]["free"]) == 2 - fees
        assert D(after["USDT"]["free"]) == 100_000 - D(bought["cummulativeQuoteQty"])
        trades = await client.get_my_trades(symbol="BTCUSDT")
        assert [t["id"] for t in trades] == [fill["tradeId"] for fill in bought["fills"]]
        await told_by_rest(simulator, trades[0]["id"])
        public = await client.get_historical_trades(
            symbol="BTCUSDT", fromId=trades[0]["id"], limit=1
        )
        assert (public[0]["id"], public[0]["price"]) == (trades[0]["id"], trades[0]["price"])
        resting = await client.create_order(
            symbol="BTCUSDT",
            side="SELL",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.02",
            price="120000.00",
            newClientOrderId="two",
        )
        assert resting["status"] == "NEW"
        [found] = await client.get_open_orders(symbol="BTCUSDT")
        assert found["clientOrderId"] == "two"
        gone = await client.cancel_order(symbol="BTCUSDT", orderId=resting["orderId"])
        assert (gone["status"], gone["origClientOrderId"]) == ("CANCELED", "two")
        held = {b["asset"]: b for b in (await client.get_account())["balances"]}
        assert D(held["BTC"]["locked"]) == 0
    finally:
        await client.close_connection()


async def test_errors_come_with_binances_own_codes(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)

    async def code_of(call: Any) -> int:
        with pytest.raises(BinanceAPIException) as caught:
            await call
        return int(caught.value.code)

    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    try:
        assert await code_of(client.get_my_trades(symbol="NOPE")) == -1121
        assert await code_of(client.create_order(**order, quantity="1", price="95000.001")) == -1013
        assert (
            await code_of(client.create_order(**order, quantity="0.00001", price="90000")) == -1013
        )
        assert await code_of(client.create_order(**order, quantity="50", price="90000")) == -2010
        assert await code_of(client.create_order(**order, price="90000")) == -1102
        assert await code_of(client.get_order(symbol="BTCUSDT", orderId=7)) == -2013
        assert await code_of(client.cancel_order(symbol="BTCUSDT", orderId=7)) == -2011
        same = {**order, "quantity": "0.01", "price": "80000", "newClientOrderId": "same"}
        first = await client.create_order(**same)
        assert await code_of(client.create_order(**same)) == -2010
        await client.cancel_order(symbol="BTCUSDT", orderId=first["orderId"])
        # unique among open orders only
        await client.create_order(**same)
        client.timestamp_offset = 3_600_000
        assert await code_of(client.get_account()) == -1021
        client.timestamp_offset = -3_600_000
        assert await code_of(client.get_account()) == -1021
        client.timestamp_offset = 0
        client.API_SECRET = "wrong"
        assert await code_of(client.get_account()) == -1022
    finally:
        await client.close_connection()


async def test_permissions_addresses_and_revoked_keys(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator, permissions={})
    client = client_of(simulator, account)
    key = f"/simulator/keys/{account['apiKey']}"
    try:
        said = await client.get_account_api_permissions()
        assert (said["enableReading"], said["enableSpotAndMarginTrading"]) == (True, False)
        with pytest.raises(BinanceAPIException, match="-2015"):
            await client.create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        for change in ({"addresses": ["10.1.1.1"]}, {"addresses": [], "revoked": True}):
            await post(simulator, key, **change)
            with pytest.raises(BinanceAPIException, match="-2015"):
                await client.get_account()
    finally:
        await client.close_connection()


async def test_the_user_stream_tells_of_orders_and_balances(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)
    manager = BinanceSocketManager(client)
    try:
        async with manager.user_socket() as stream:
            await client.create_order(symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.05")
            seen: list[Any] = []
            async with asyncio.timeout(60):
                while not seen or seen[-1].get("X") != "FILLED":
                    seen.append(await stream.recv())
            reports = [event for event in seen if event["e"] == "executionReport"]
            assert [r["x"] for r in reports[:2]] == ["NEW", "TRADE"]
            traded = [r for r in reports if r["x"] == "TRADE"]
            assert sum(D(r["l"]) for r in traded) == D("0.05")
            assert any(event["e"] == "outboundAccountPosition" for event in seen)
            await post(
                simulator,
                f"/simulator/accounts/{account['uid']}/move",
                kind="deposit",
                asset="ETH",
                amount="2",
            )
            async with asyncio.timeout(60):
                while (event := await stream.recv())["e"] != "balanceUpdate":
                    pass
            assert (event["a"], event["d"]) == ("ETH", "2.00000000")
    finally:
        await client.close_connection()


async def test_one_connection_carries_many_accounts_by_signature(serve: Serve) -> None:
    simulator = await serve()
    accounts = [await open_account(simulator) for _ in range(3)]
    clients = [client_of(simulator, account) for account in accounts]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{simulator.ws}/ws-api/v3") as socket,
    ):
        numbers = {}
        for account, client in zip(accounts, clients, strict=True):
            params = client._sign_ws_params({}, client._generate_ws_api_signature)
            method = "userDataStream.subscribe.signature"
            await socket.send_json({"id": 1, "method": method, "params": params})
            answer = await socket.receive_json()
            assert answer["status"] == 200, answer
            numbers[answer["result"]["subscriptionId"]] = account["uid"]
            await socket.send_json({"id": 2, "method": method, "params": params})
            assert (await socket.receive_json())["error"]["code"] == -2035
        assert len(numbers) == 3
        await clients[1].create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        event = await socket.receive_json()
        assert numbers[event["subscriptionId"]] == accounts[1]["uid"]
        assert event["event"]["e"] == "executionReport"
    for client in clients:
        await client.close_connection()


async def test_python_binance_places_order_lists_over_the_socket(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)

    async def asked(socket: Any, method: str, **params: str) -> Any:
        signed = client._sign_ws_params(params, client._generate_ws_api_signature)
        await socket.send_json({"id": method, "method": method, "params": signed})
        answer = await socket.receive_json()
        assert answer["status"] == 200, answer
        return answer["result"]

    working = {
        "symbol": "BTCUSDT",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingTimeInForce": "GTC",
        "workingPrice": "50000",
        "workingQuantity": "0.01",
        "pendingSide": "SELL",
    }
    pending = {"pendingType": "STOP_LOSS", "pendingStopPrice": "49000"}
    pair = {
        "pendingAboveType": "LIMIT_MAKER",
        "pendingAbovePrice": "60000",
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": "49000",
    }
    size = {"pendingQuantity": "0.01"}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{simulator.ws}/ws-api/v3") as socket,
        ):
            kinds = {
                "oto": {**working, **pending, **size},
                "otoco": {**working, **pair, **size},
                "opo": {**working, **pending},
                "opoco": {**working, **pair},
            }
            for kind, params in kinds.items():
                told = await asked(socket, f"orderList.place.{kind}", **params)
                statuses = [row["status"] for row in told["orderReports"]]
                assert statuses == ["NEW", *["PENDING_NEW"] * (len(statuses) - 1)], kind
                assert len(statuses) == (3 if kind.endswith("co") else 2)
            lists = await asked(socket, "openOrderLists.status")
            assert len(lists) == 4
            number = str(lists[0]["orderListId"])
            one = await asked(socket, "orderList.status", orderListId=number)
            assert one["listOrderStatus"] == "EXECUTING"
            gone = await asked(socket, "orderList.cancel", symbol="BTCUSDT", orderListId=number)
            assert gone["listOrderStatus"] == "ALL_DONE"
            assert len(await asked(socket, "allOrderLists")) == 4
            out = await asked(socket, "openOrders.cancelAll", symbol="BTCUSDT")
            assert out
            assert await asked(socket, "openOrderLists.status") == []
    finally:
        await client.close_connection()


async def test_python_binance_trades_futures_and_hears_of_it(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    client = client_of(simulator, account)
    try:
        key = await client.futures_stream_get_listen_key()
        assert await client.futures_stream_get_listen_key() == key
        async with aiohttp.ClientSession() as session:
            events = "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE"
            url = f"{simulator.ws}/private/ws?listenKey={key}&events={events}"
            async with session.ws_connect(url) as socket:
                for side, quantity in (("BUY", "0.030"), ("SELL", "0.010")):
                    await client.futures_create_order(
                        symbol="BTCUSDT",
                        side=side,
                        type="MARKET",
                        quantity=quantity,
                        newClientOrderId=side,
                    )
                kinds: set[str] = set()
                async with asyncio.timeout(60):
                    while kinds != {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"}:
                        kinds.add((await socket.receive_json())["e"])
        [position] = await client.futures_position_information(version=3)
        assert D(position["positionAmt"]) == D("0.020")
        trades = await client.futures_account_trades(symbol="BTCUSDT")
        assert sum(D(t["qty"]) for t in trades) == D("0.040")
        income = await client.futures_income_history()
        wallet = {row["asset"]: D(row["balance"]) for row in await client.futures_account_balance()}
        assert wallet["USDT"] == 50_000 + sum(D(row["income"]) for row in income)
        assert sum(D(t["realizedPnl"]) for t in trades) == sum(
            D(row["income"]) for row in income if row["incomeType"] == "REALIZED_PNL"
        )
        truth = await get(simulator, f"/simulator/accounts/{account['uid']}/truth")
        assert D(truth["futures"]["USDT"]) == wallet["USDT"]
        with pytest.raises(BinanceAPIException) as caught:
            await client.futures_create_order(
                symbol="BTCUSDT",
                side="SELL",
                type="MARKET",
                quantity="0.05",
                reduceOnly="true",
                positionSide="LONG",
            )
        assert caught.value.code == -4061
    finally:
        await client.close_connection()


async def test_ccxt_reads_and_trades(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    exchange = clients.ccxt.binance(
        {
            "apiKey": account["apiKey"],
            "secret": account["secretKey"],
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchMargins": False,
                "adjustForTimeDifference": True,
            },
            "enableRateLimit": False,
        }
    )
    for name in ("public", "private", "v1"):
        exchange.urls["api"][name] = f"{simulator.http}/api/v3"
    exchange.urls["api"]["sapi"] = f"{simulator.http}/sapi/v1"
    try:
        await exchange.load_markets()
        balance = await exchange.fetch_balance()
        assert balance["USDT"]["free"] == 100_000
        order = await exchange.create_order("BTC/USDT", "market", "buy", 0.01)
        assert order["status"] == "closed"
        trades = await exchange.fetch_my_trades("BTC/USDT")
        assert sum(trade["amount"] for trade in trades) == pytest.approx(0.01)
        limit = await exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 80_000)
        assert [o["id"] for o in await exchange.fetch_open_orders("BTC/USDT")] == [limit["id"]]
        await exchange.cancel_order(limit["id"], "BTC/USDT")
        assert await exchange.fetch_open_orders("BTC/USDT") == []
    finally:
        await exchange.close()


async def test_binances_own_sdks_read_accounts_and_trade(serve: Serve) -> None:
    simulator = await serve()
    account = await open_account(simulator)
    config = clients.ConfigurationRestAPI(
        api_key=account["apiKey"], api_secret=account["secretKey"], base_path=simulator.http
    )

    def spot() -> None:
        api: Any = clients.Spot(config_rest_api=config).rest_api
        assert api.get_account().data().uid == account["uid"]
        done = api.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01).data()
        assert done.status == "FILLED"
        assert len(api.my_trades(symbol="BTCUSDT").data()) == len(done.fills or [])

    def futures() -> None:
        api: Any = clients.DerivativesTradingUsdsFutures(config_rest_api=config).rest_api
        api.new_order(symbol="BTCUSDT", side="SELL", type="MARKET", quantity=0.02)
        assert len(api.account_trade_list(symbol="BTCUSDT").data()) >= 1
        [position] = api.position_information_v3().data()
        assert D(position.position_amt or "0") == D("-0.02")
        assert api.get_income_history().data()

    await asyncio.to_thread(spot)
    await asyncio.to_thread(futures)
