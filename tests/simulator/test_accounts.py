"""The account side of the exchange: a year that adds up, faults, sessions, restarts."""

import asyncio
import hashlib
import hmac
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from simulator.app import Options
from simulator.limits import OrderCount
from tests.conftest import eventually, told_by_rest
from tests.simulator.conftest import Serve, end_faults, get, post
from tests.simulator.signed import NOW_US, ORDER, exchange_with_everything, opened, signed


async def test_a_resting_order_is_filled_by_the_tapes_own_trades(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{simulator.ws}/ws-api/v3") as socket,
    ):
        await subscribe(socket, account)
        best = await get(simulator, "/api/v3/ticker/bookTicker", symbol="BTCUSDT")
        limit = {**ORDER, "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
        # on both sides: wherever the price goes, it comes by one of them
        for side, price in (("SELL", best["askPrice"]), ("BUY", best["bidPrice"])):
            order = {**limit, "side": side, "price": price}
            await signed(simulator, account, "POST", "/api/v3/order", **order)
        async with asyncio.timeout(60):
            while (told := (await socket.receive_json())["event"]).get("X") != "FILLED":
                pass
    own = {"symbol": "BTCUSDT", "orderId": told["i"]}
    _, found = await signed(simulator, account, "GET", "/api/v3/order", **own)
    assert found["status"] == "FILLED"
    _, fills = await signed(simulator, account, "GET", "/api/v3/myTrades", symbol="BTCUSDT")
    await told_by_rest(simulator, fills[-1]["id"])
    for fill in fills:
        [public] = await get(
            simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=fill["id"], limit=1
        )
        assert (public["id"], public["price"]) == (fill["id"], fill["price"])
        assert float(public["qty"]) >= float(fill["qty"])


async def test_an_order_that_was_executed_though_the_answer_says_503(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
    await post(simulator, "/simulator/faults/executed", seconds=5)
    await post(simulator, "/simulator/faults/order_hidden", ms=700, seconds=600)
    status, said = await signed(
        simulator, account, "POST", "/api/v3/order", **ORDER, newClientOrderId="mine"
    )
    assert (status, said["code"]) == (503, -1007)
    find = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    status, said = await signed(simulator, account, "GET", "/api/v3/order", **find)
    assert said["code"] == -2013  # not yet
    simulator.exchange.clock_offset_us += 700_000
    status, said = await signed(simulator, account, "GET", "/api/v3/order", **find)
    assert (status, said["status"]) == (200, "FILLED")


async def test_keys_that_are_refused_for_a_while(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
    await post(simulator, "/simulator/faults/keys_refused", seconds=60)
    status, said = await signed(simulator, account, "GET", "/api/v3/account")
    assert (status, said["code"]) == (401, -2015)
    end_faults(simulator)
    assert (await signed(simulator, account, "GET", "/api/v3/account"))[0] == 200


async def test_what_is_not_percent_encoded_before_signing_is_refused(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
    for raw, status in (("a%3Ab", 200), ("a b", 400)):
        query = f"newClientOrderId={raw}&timestamp={int(time.time() * 1000)}"
        sign = hmac.new(account["secretKey"].encode(), query.encode(), hashlib.sha256).hexdigest()
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        body = f"{query}&signature={sign}&symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01"
        body = body.replace(f"&signature={sign}", "")
        sign = hmac.new(account["secretKey"].encode(), body.encode(), hashlib.sha256).hexdigest()
        body += f"&signature={sign}"
        head = (
            "POST /api/v3/order HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"X-MBX-APIKEY: {account['apiKey']}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        writer.write((head + body).encode())
        answer = await reader.read()
        writer.close()
        assert answer.startswith(f"HTTP/1.1 {status}".encode()), answer[:400]
        assert status == 200 or b"-1022" in answer


@pytest.mark.parametrize(("kind", "copies"), [("user_lost", 0), ("user_double", 2)])
async def test_user_events_are_lost_or_told_twice(serve: Serve, kind: str, copies: int) -> None:
    simulator = await serve()
    account = await opened(simulator)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{simulator.ws}/ws-api/v3") as socket,
    ):
        await subscribe(socket, account)
        await post(simulator, f"/simulator/faults/{kind}", rate=1.0, seconds=60)
        await signed(simulator, account, "POST", "/api/v3/order", **ORDER)
        end_faults(simulator)
        await post(simulator, f"/simulator/accounts/{account['uid']}/move", asset="ETH", amount="1")
        events: list[Any] = []
        while not events or events[-1]["e"] != "balanceUpdate":
            events.append((await socket.receive_json())["event"])
        assert len([e for e in events if e.get("x") == "NEW"]) == copies


async def subscribe(socket: Any, account: Any) -> int:
    params = {"apiKey": account["apiKey"], "timestamp": int(time.time() * 1000)}
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    sign = hmac.new(account["secretKey"].encode(), text.encode(), hashlib.sha256).hexdigest()
    await socket.send_json(
        {
            "id": "s",
            "method": "userDataStream.subscribe.signature",
            "params": {**params, "signature": sign},
        }
    )
    answer = await socket.receive_json()
    number: int = answer["result"]["subscriptionId"]
    return number


async def test_the_order_limit_is_fifty_in_ten_seconds(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = await serve()
    account = await opened(simulator)
    # a busy machine may need longer than the window: all within one
    monkeypatch.setattr(
        "simulator.rest.signed.OrderCount",
        lambda limit, seconds, _clock: OrderCount(limit, seconds, lambda: 1_000_000.0),
    )
    codes = set()
    for _ in range(55):
        status, said = await signed(
            simulator, account, "POST", "/api/v3/order", **{**ORDER, "quantity": "0.0002"}
        )
        codes.add((status, said.get("code")))
    assert codes == {(200, None), (429, -1015)}


async def test_accounts_and_open_orders_survive_a_restart(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    first = await serve(options=Options(accounts=path))
    account = await opened(first)
    limit = {**ORDER, "type": "LIMIT", "timeInForce": "GTC", "price": "50000"}
    _, order = await signed(first, account, "POST", "/api/v3/order", **limit)
    await eventually(lambda: is_kept(path, order["clientOrderId"]), what="the order on disk")
    second = await serve(options=Options(accounts=path))
    status, found = await signed(second, account, "GET", "/api/v3/openOrders")
    assert status == 200
    assert [item["orderId"] for item in found] == [order["orderId"]]
    assert oct(path.stat().st_mode)[-3:] == "600"


def is_kept(path: Path, words: str) -> bool:
    return path.exists() and words in path.read_text()


async def test_movements_are_told_in_the_words_of_sapi(serve: Serve) -> None:
    exchange = exchange_with_everything()
    simulator = await serve(exchange, Options(has_demo=True))
    [demo] = await get(simulator, "/simulator/accounts")
    account = demo["keys"][0]
    now = NOW_US // 1000

    async def ask(path: str, **params: Any) -> Any:
        query = urlencode({**params, "timestamp": now})
        secret = account["secretKey"].encode()
        query += "&signature=" + hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
        async with (
            aiohttp.ClientSession(headers={"X-MBX-APIKEY": account["apiKey"]}) as session,
            session.get(f"{simulator.http}{path}?{query}") as answer,
        ):
            return await answer.json()

    day = 86_400_000
    deposits = await ask("/sapi/v1/capital/deposit/hisrec", startTime=now - 89 * day, endTime=now)
    assert deposits
    assert {row["status"] for row in deposits} == {1}
    withdrawn = await ask(
        "/sapi/v1/capital/withdraw/history", startTime=now - 89 * day, endTime=now
    )
    assert {row["transactionFee"] for row in withdrawn} == {"1.00000000"}
    refused = await ask("/sapi/v1/capital/deposit/hisrec", startTime=now - 99 * day, endTime=now)
    assert refused["code"] == -1127
    assert (await ask("/sapi/v1/asset/dribblet"))["total"] == 4
    converts = await ask("/sapi/v1/convert/tradeFlow", startTime=now - 30 * day, endTime=now)
    assert set(converts) == {"list", "startTime", "endTime", "limit", "moreData"}
    transfers = await ask(
        "/sapi/v1/asset/transfer", type="MAIN_UMFUTURE", startTime=now - 180 * day, endTime=now
    )
    assert transfers["total"] == 0  # a year ago
    income = await ask("/fapi/v1/income", startTime=now - 365 * day, limit=1000)
    assert min(row["time"] for row in income) >= now - 90 * day  # three months, no more
    trades = await ask("/api/v3/myTrades", symbol="SOLUSDT", fromId=0, limit=1000)
    gone = await get(simulator, f"/simulator/accounts/{demo['uid']}/truth")
    assert not {row["id"] for row in trades} & {fill["id"] for fill in gone["forgotten"]}


async def test_a_revoked_key_stays_revoked_after_a_crash(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    first = await serve(options=Options(accounts=path))
    account = await opened(first)
    await eventually(lambda: is_kept(path, account["apiKey"]), what="the key on disk")
    assert not is_kept(path, '"is_revoked":true')
    await post(first, f"/simulator/keys/{account['apiKey']}", revoked=True)
    await eventually(lambda: is_kept(path, '"is_revoked":true'), what="its end on disk")
    second = await serve(options=Options(accounts=path))  # the first never stopped
    assert (await signed(second, account, "GET", "/api/v3/account"))[0] == 401


async def test_odd_messages_do_not_end_the_websocket_api(serve: Serve) -> None:
    simulator = await serve()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{simulator.ws}/ws-api/v3") as socket,
    ):
        for text in ('{"method":"ping","params":[1]}', "[]", "no", '{"id":1,"method":"fly"}'):
            await socket.send_str(text)
            assert (await socket.receive_json())["status"] == 400
        await socket.send_json({"id": 7, "method": "ping"})
        assert (await socket.receive_json())["status"] == 200
