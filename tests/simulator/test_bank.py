"""What the simulated bank lets an account do, asked directly."""

from typing import Any

import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.futures import apply
from simulator.accounts.records import SPOT, USDM, Account, Order, Position
from simulator.accounts.refusals import Refusal
from simulator.amounts import UNIT, to_units
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.tape import Trade
from tests.simulator.conftest import Serve
from tests.simulator.signed import NOW_US, ORDER, opened, signed


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
