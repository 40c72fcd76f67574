"""The account side of the exchange: a year that adds up, faults, sessions, restarts."""

import asyncio
import hashlib
import hmac
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import yarl

from simulator.accounts.bank import Bank
from simulator.accounts.futures import apply
from simulator.accounts.history import open_demo
from simulator.accounts.records import SPOT, USDM, Account, Order, Position
from simulator.accounts.refusals import Refusal
from simulator.accounts.truth import truth
from simulator.amounts import UNIT, to_units
from simulator.app import Options
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.tape import Trade
from tests.conftest import RunningSimulator
from tests.simulator.conftest import Serve, get, post

ALL = {"enableSpotAndMarginTrading": True}
NOW_US = 1_790_035_200_000_000


def exchange_with_everything() -> Exchange:
    exchange = Exchange(Faults(), clock=lambda: NOW_US)
    for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"):
        exchange.list_generated(name, None, seed=1, pace=1.0)
    for name in ("BTCUSDT", "ETHUSDT"):
        exchange.list_generated(name, None, seed=1, pace=1.0, market=USDM)
    return exchange


@pytest.fixture(scope="module")
def year() -> Account:
    return open_demo(Bank(exchange_with_everything()))


def test_a_year_has_hundreds_of_fills_and_something_of_every_kind(year: Account) -> None:
    said: Any = truth(year)
    assert said["fills"][SPOT] > 600
    assert said["fills"][USDM] > 400
    assert set(said["movements"]) == {
        "deposit",
        "withdrawal",
        "dust",
        "convert",
        "dividend",
        "transfer",
        "income",
    }
    assert set(said["income"]) == {"REALIZED_PNL", "COMMISSION", "FUNDING_FEE", "TRANSFER"}
    assert "BNB" in said["commissions"]
    assert {fill["side"] for fill in said["forgotten"]} == {"BUY"}


def test_a_year_adds_up_to_its_balances(year: Account) -> None:
    """Summed anew from what happened, without the desks."""
    spot: dict[str, int] = defaultdict(int)
    for fill in (f for f in year.fills if f.market == SPOT):
        sign = 1 if fill.side == "BUY" else -1
        spot[fill.symbol.removesuffix("USDT")] += sign * fill.quantity
        spot["USDT"] -= sign * (fill.price * fill.quantity // UNIT)
        spot[fill.commission_asset] -= fill.commission
    for item in year.movements:
        if item.kind != "income":
            spot[item.asset] += item.amount
    held = {asset: holding.total for asset, holding in year.holdings.items()}
    assert {a: n for a, n in spot.items() if n} == {a: n for a, n in held.items() if n}
    assert all(holding.locked == 0 <= holding.free for holding in year.holdings.values())
    income = sum(item.amount for item in year.movements if item.kind == "income")
    assert income == year.wallet["USDT"]


def test_futures_fills_lead_to_their_positions(year: Account) -> None:
    for name, position in year.positions.items():
        symbol = name.partition(":")[0]
        fills = [f for f in year.fills if f.market == USDM and f.symbol == symbol]
        signed = sum(f.quantity if f.side == "BUY" else -f.quantity for f in fills)
        assert signed == position.amount


def test_ids_and_times_grow_together(year: Account) -> None:
    for market in (SPOT, USDM):
        for symbol in {fill.symbol for fill in year.fills if fill.market == market}:
            mine = [f for f in year.fills if (f.market, f.symbol) == (market, symbol)]
            assert [f.id for f in mine] == sorted({f.id for f in mine})
            assert all(a.time <= b.time for a, b in zip(mine, mine[1:], strict=False))
            assert mine[-1].id < 1_000_001


def test_the_same_seed_gives_the_same_year(year: Account) -> None:
    again = open_demo(Bank(exchange_with_everything()))
    assert truth(again) == truth(year)


def test_positions_open_reduce_flip_and_close() -> None:
    position = Position("BTCUSDT")
    assert apply(position, 2 * UNIT, 100 * UNIT) == 0
    assert apply(position, UNIT, 130 * UNIT) == 0
    assert position.entry == 110 * UNIT
    assert apply(position, -UNIT, 120 * UNIT) == 10 * UNIT
    assert apply(position, -3 * UNIT, 100 * UNIT) == -20 * UNIT  # closes 2, opens a short of 1
    assert (position.amount, position.entry) == (-UNIT, 100 * UNIT)
    assert apply(position, UNIT, 90 * UNIT) == 10 * UNIT
    assert (position.amount, position.cost) == (0, 0)


# --- over real sockets --------------------------------------------------------------------------


async def opened(simulator: RunningSimulator, **more: Any) -> Any:
    asked = {"balances": {"USDT": "100000", "BTC": "3"}, "permissions": ALL}
    account = await post(simulator, "/simulator/accounts", **{**asked, **more})
    await asyncio.sleep(0.3)
    return account


async def signed(
    simulator: RunningSimulator, account: Any, method: str, path: str, **params: Any
) -> tuple[int, Any]:
    query = urlencode({**params, "timestamp": int(time.time() * 1000)})
    secret = account["secretKey"].encode()
    query += "&signature=" + hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
    async with (
        aiohttp.ClientSession(headers={"X-MBX-APIKEY": account["apiKey"]}) as session,
        session.request(
            method, yarl.URL(f"{simulator.http}{path}?{query}", encoded=True)
        ) as answer,
    ):
        return answer.status, await answer.json()


ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


async def test_a_resting_order_is_filled_by_the_tapes_own_trades(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
    best = await get(simulator, "/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    _, order = await signed(
        simulator,
        account,
        "POST",
        "/api/v3/order",
        symbol="BTCUSDT",
        side="SELL",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.5",
        price=best["askPrice"],
    )
    async with asyncio.timeout(60):
        while True:
            _, now = await signed(
                simulator,
                account,
                "GET",
                "/api/v3/order",
                symbol="BTCUSDT",
                orderId=order["orderId"],
            )
            if now["status"] == "FILLED":
                break
            await asyncio.sleep(0.1)
    _, fills = await signed(simulator, account, "GET", "/api/v3/myTrades", symbol="BTCUSDT")
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
    await post(simulator, "/simulator/faults/order_hidden", ms=700, seconds=5)
    status, said = await signed(
        simulator, account, "POST", "/api/v3/order", **ORDER, newClientOrderId="mine"
    )
    assert (status, said["code"]) == (503, -1007)
    find = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    status, said = await signed(simulator, account, "GET", "/api/v3/order", **find)
    assert said["code"] == -2013  # not yet
    await asyncio.sleep(0.8)
    status, said = await signed(simulator, account, "GET", "/api/v3/order", **find)
    assert (status, said["status"]) == (200, "FILLED")


async def test_keys_that_are_refused_for_a_while(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
    await post(simulator, "/simulator/faults/keys_refused", seconds=0.4)
    status, said = await signed(simulator, account, "GET", "/api/v3/account")
    assert (status, said["code"]) == (401, -2015)
    await asyncio.sleep(0.5)
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
        await post(simulator, f"/simulator/faults/{kind}", rate=1.0, seconds=0.5)
        await signed(simulator, account, "POST", "/api/v3/order", **ORDER)
        await asyncio.sleep(0.6)
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


async def test_the_order_limit_is_fifty_in_ten_seconds(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
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
    await asyncio.sleep(1.2)
    second = await serve(options=Options(accounts=path))
    status, found = await signed(second, account, "GET", "/api/v3/openOrders")
    assert status == 200
    assert [item["orderId"] for item in found] == [order["orderId"]]
    assert oct(path.stat().st_mode)[-3:] == "600"


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


# --- what a reviewer found ----------------------------------------------------------------------


def bank_of_one(**balances: str) -> tuple[Bank, Account]:
    exchange = Exchange(Faults(), clock=lambda: NOW_US)
    exchange.list_generated("BTCUSDT", None, seed=1, pace=1.0)
    exchange.list_generated("BTCUSDT", None, seed=1, pace=1.0, market=USDM)
    bank = Bank(exchange)
    account = bank.open_account(
        "x", {a: to_units(v) for a, v in balances.items()}, {"USDT": to_units("5000")}
    )
    return bank, account


def order_of(bank: Bank, market: str = SPOT, **more: Any) -> Order:
    given: dict[str, Any] = {
        "market": market,
        "symbol": "BTCUSDT",
        "id": bank.next_id(),
        "side": "BUY",
        "client_id": f"c{bank.next_id()}",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "price": 0,
        "quantity": 0,
        "time": bank.now_ms(),
        "updated": bank.now_ms(),
    }
    return Order(**{**given, **more})


def test_a_filled_order_is_not_filled_again_by_the_same_batch() -> None:
    bank, account = bank_of_one(USDT="5000")
    order = order_of(bank, price=to_units("90000"), quantity=to_units("0.01"))
    bank.place(account, order)
    listed = bank.listed(SPOT, "BTCUSDT")
    price = to_units("89000")
    bank.meet(
        listed,
        [Trade(n, price, to_units(q), NOW_US, True, n) for n, q in ((1, "0.01"), (2, "0.5"))],
    )
    assert (order.status, order.executed) == ("FILLED", to_units("0.01"))
    assert account.holding("USDT").total == to_units("5000") - price // 100
    assert account.holding("USDT").locked == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"quoteOrderQty": "6"}, -1106),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "0"}, -1013),
        ({"type": "STOP_LOSS", "stopPrice": "10"}, -2010),
    ],
)
async def test_orders_that_contradict_themselves_are_refused(
    serve: Serve, wrong: dict[str, str], code: int
) -> None:
    simulator = await serve()
    account = await opened(simulator)
    _, said = await signed(simulator, account, "POST", "/api/v3/order", **{**ORDER, **wrong})
    assert said["code"] == code


def test_a_market_order_never_takes_more_than_the_account_has() -> None:
    bank, account = bank_of_one(USDT="500")
    order = order_of(bank, type="MARKET", quote_quantity=to_units("400"))
    bank.place(account, order)
    assert order.status == "FILLED"
    assert to_units("396") < order.quote <= to_units("400")
    stop = order_of(
        bank, type="STOP_LOSS", quantity=to_units("0.001"), stop_price=to_units("96000")
    )
    bank.place(account, stop)
    bank.meet(bank.listed(SPOT, "BTCUSDT"), [Trade(9, to_units("130000"), UNIT, NOW_US, False, 9)])
    assert stop.is_triggered
    assert (stop.type, stop.stop_price) == ("STOP_LOSS", to_units("96000"))
    assert account.holding("USDT").free >= 0


def test_a_reduce_only_order_never_turns_a_position() -> None:
    bank, account = bank_of_one()
    bank.place(account, order_of(bank, USDM, type="MARKET", quantity=to_units("0.010")))
    sell = order_of(
        bank, USDM, type="MARKET", side="SELL", quantity=to_units("0.050"), reduce_only=True
    )
    bank.place(account, sell)
    assert account.positions["BTCUSDT:BOTH"].amount == 0
    assert sell.executed == to_units("0.010")
    with pytest.raises(Refusal, match="ReduceOnly"):
        bank.place(
            account,
            order_of(
                bank, USDM, type="MARKET", side="SELL", quantity=to_units("0.050"), reduce_only=True
            ),
        )


def test_a_hedged_side_is_not_sold_below_nothing_and_margin_is_counted() -> None:
    bank, account = bank_of_one()
    account.is_hedged = True
    with pytest.raises(Refusal, match="ReduceOnly"):
        bank.place(
            account,
            order_of(
                bank,
                USDM,
                type="MARKET",
                side="SELL",
                quantity=to_units("0.010"),
                position_side="LONG",
            ),
        )
    placed = 0
    with pytest.raises(Refusal, match="Margin is insufficient"):
        for _ in range(9):
            bank.place(
                account,
                order_of(
                    bank, USDM, type="MARKET", quantity=to_units("0.500"), position_side="LONG"
                ),
            )
            placed += 1
    assert placed == 2  # 20 times 5000


async def test_a_revoked_key_stays_revoked_after_a_crash(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    first = await serve(options=Options(accounts=path))
    account = await opened(first)
    await asyncio.sleep(1.1)
    await post(first, f"/simulator/keys/{account['apiKey']}", revoked=True)
    await asyncio.sleep(1.2)
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
