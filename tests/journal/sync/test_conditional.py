"""Conditional orders and order lists are read like ordinary ones, by history and by stream, and
become the stops of the trades that they protect."""

from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from accounts.models import ExchangeAccount, User
from journal.models import ConditionalOrder, Order, OrderList, Sync, Trade
from journal.sync.running import synchronise
from tests.journal.sync.stage import DemoExchange, aim, change, connect, trade
from tests.journal.sync.test_stream import heard
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

Opened = dict[str, Any]


@pytest.fixture
def exchange() -> Iterator[DemoExchange]:
    with DemoExchange(has_demo=False).running() as running:
        yield running


@pytest.fixture
def account(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path
) -> tuple[ExchangeAccount, Opened]:
    aim(settings, exchange, tmp_path)
    opened = exchange.open()
    return connect(alice, opened), opened


def price_of(exchange: DemoExchange, market: str = "usdm") -> D:
    head = "/fapi/v1" if market == "usdm" else "/api/v3"
    return D(exchange.ask("GET", f"{head}/ticker/price?symbol=BTCUSDT")["price"])


def near(price: D, factor: str) -> str:
    return f"{(price * D(factor)).quantize(D('0.1'))}"


def push_down(exchange: DemoExchange, price: D) -> None:
    """Somebody sells until the market is below a price."""
    seller = exchange.open()
    path = f"/simulator/accounts/{seller['uid']}/move"
    exchange.ask("POST", path, market="usdm", asset="USDT", amount="50000000")
    order = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "50"}
    for _ in range(40):
        if price_of(exchange) < price:
            return
        trade(exchange, seller, market="usdm", **order)
    raise AssertionError("expected the market to fall")


def bought(exchange: DemoExchange, opened: Opened) -> D:
    trade(
        exchange,
        opened,
        market="usdm",
        symbol="BTCUSDT",
        side="BUY",
        type="MARKET",
        quantity="0.020",
    )
    return price_of(exchange)


def stop_at(exchange: DemoExchange, opened: Opened, price: str, kind: str = "STOP_MARKET") -> Any:
    return change(
        exchange,
        opened,
        "post",
        "/fapi/v1/algoOrder",
        algoType="CONDITIONAL",
        symbol="BTCUSDT",
        side="SELL",
        type=kind,
        closePosition="true",
        triggerPrice=price,
    )


def cancelled(exchange: DemoExchange, opened: Opened, algo_id: int) -> None:
    change(exchange, opened, "delete", "/fapi/v1/algoOrder", algoId=algo_id)


def test_history_gives_a_trade_its_stop_and_its_path(
    exchange: DemoExchange, account: tuple[ExchangeAccount, Opened]
) -> None:
    made, opened = account
    price = bought(exchange, opened)
    first = stop_at(exchange, opened, near(price, "0.95"))
    stop_at(exchange, opened, near(price, "1.10"), "TAKE_PROFIT_MARKET")
    cancelled(exchange, opened, first["algoId"])
    stop_at(exchange, opened, near(price, "0.97"))
    assert synchronise(str(made.pk))
    rows = ConditionalOrder.objects.filter(account=made).order_by("algo_id")
    assert [row.status for row in rows] == ["CANCELED", "NEW", "NEW"]
    found = Trade.objects.get(account=made, market="usdm")
    assert found.placed_stop == D(near(price, "0.95"))
    assert found.placed_stop_at == rows[0].time
    assert found.placed_target == D(near(price, "1.10"))
    assert found.stop_moves == "towards"


def test_the_stream_tells_of_a_stop_at_once_and_of_the_order_that_it_made(
    exchange: DemoExchange, account: tuple[ExchangeAccount, Opened]
) -> None:
    made, opened = account
    assert synchronise(str(made.pk))
    with heard():
        price = bought(exchange, opened)
        until(lambda: Trade.objects.filter(account=made, market="usdm").exists())
        stop_at(exchange, opened, near(price, "0.9995"))
        until(lambda: Trade.objects.filter(account=made, placed_stop__isnull=False).exists())
        rows = ConditionalOrder.objects.filter(account=made)
        push_down(exchange, D(near(price, "0.999")))
        until(lambda: rows.filter(status="FINISHED").exists(), 120)
        row = rows.get(status="FINISHED")
        until(lambda: Order.objects.filter(account=made, order_id=row.made_order_id).exists())
    order = Order.objects.get(account=made, order_id=row.made_order_id)
    assert (order.original_type, order.status) == (row.type, "FILLED")
    assert row.time < row.changed_at


def test_what_ended_unheard_is_looked_up(
    exchange: DemoExchange, account: tuple[ExchangeAccount, Opened]
) -> None:
    made, opened = account
    stop = stop_at(exchange, opened, near(price_of(exchange), "0.5"))
    assert synchronise(str(made.pk))
    cancelled(exchange, opened, stop["algoId"])
    Sync.objects.filter(account=made).update(is_due=True)
    assert synchronise(str(made.pk))
    assert ConditionalOrder.objects.get(algo_id=stop["algoId"]).status == "CANCELED"


def test_spot_lists_are_read_with_their_orders(
    exchange: DemoExchange, account: tuple[ExchangeAccount, Opened]
) -> None:
    made, opened = account
    trade(exchange, opened, symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.02")
    price = price_of(exchange, "spot")
    change(
        exchange,
        opened,
        "post",
        "/api/v3/orderList/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.02",
        aboveType="LIMIT_MAKER",
        abovePrice=near(price, "1.10"),
        belowType="STOP_LOSS",
        belowStopPrice=near(price, "0.95"),
    )
    assert synchronise(str(made.pk))
    group = OrderList.objects.get(account=made)
    assert (group.contingency, group.status) == ("OCO", "EXECUTING")
    assert Order.objects.filter(account=made, list_id=group.list_id).count() == 2
    found = Trade.objects.get(account=made, market="spot", base="BTC")
    assert (found.placed_stop, found.placed_target) == (
        D(near(price, "0.95")),
        D(near(price, "1.10")),
    )
