"""The made-up year: of every kind, and adding up."""

from collections import defaultdict
from typing import Any

import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.history import open_demo
from simulator.accounts.records import SPOT, USDM, Account
from simulator.accounts.truth import truth
from simulator.amounts import UNIT
from tests.simulator.signed import exchange_with_everything


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
