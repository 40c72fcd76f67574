"""Twins have what lies behind them together: in memory once, and in a file written once."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.history import Year, give_past
from simulator.accounts.records import SPOT, Account, Order
from simulator.amounts import UNIT
from simulator.exchange import Exchange
from tests.simulator.test_past import NOW_US, close_all, listed

PAST = "past-1.json"


def buy(bank: Bank, account: Account, *, rests: bool = False) -> Order:
    """Below the market, or at once."""
    now, rules = bank.now_ms(), bank.listed(SPOT, "BTCUSDT").symbol.rules
    price = bank.last_price(SPOT, "BTCUSDT") * 9 // 10 // rules.tick * rules.tick if rests else 0
    made = bank.next_id()
    quantity = 20 * rules.step
    kind = ("LIMIT", "GTC", price) if price else ("MARKET", "GTC", 0)
    order = Order(SPOT, "BTCUSDT", made, f"twin{made}", "BUY", *kind, quantity, now, now)
    bank.place(account, order)
    return order


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    made = listed(tmp_path, lambda: NOW_US)
    made.advance()
    yield made
    close_all(made)


@pytest.fixture
def bank(exchange: Exchange, tmp_path: Path) -> Bank:
    return Bank(exchange, tmp_path / "accounts.json")


@pytest.fixture
def demo(bank: Bank) -> Account:
    give_past(bank, opens_demo=True)
    account = bank.accounts[min(bank.accounts)]
    account.holding("USDT").free += 100_000 * UNIT
    return account


def test_a_twin_has_the_same_objects_and_goes_its_own_way(bank: Bank, demo: Account) -> None:
    resting = buy(bank, demo, rests=True)
    before = copy.deepcopy(demo)
    twin = bank.open_like("demo of 1", demo)
    assert twin.fills[0] is demo.fills[0]
    assert twin.fills == demo.fills
    assert twin.movements == demo.movements
    assert resting.id not in twin.orders
    assert {key: one for key, one in demo.orders.items() if not one.is_open} == twin.orders
    assert twin.holding("USDT").locked == demo.holding("USDT").locked - resting.locked
    assert twin.holding("USDT").total == demo.holding("USDT").total
    buy(bank, twin)
    assert len(twin.fills) > len(before.fills)
    assert demo == before, "what the twin does changes nothing in the other"


def test_all_of_it_is_there_after_a_restart_and_the_past_is_written_once(
    exchange: Exchange, bank: Bank, demo: Account, tmp_path: Path
) -> None:
    written = (tmp_path / PAST).stat()
    twin = bank.open_like("demo of 1", demo)
    stranger = bank.open_account("stranger", {"USDT": 1_000 * UNIT}, {})
    for account in (demo, twin):
        buy(bank, account)
        buy(bank, account, rests=True)
    bank.save()
    assert (tmp_path / PAST).stat() == written
    assert oct(written.st_mode)[-3:] == "600"
    assert (tmp_path / "accounts.json").stat().st_size < written.st_size / 20
    again = Bank(exchange, tmp_path / "accounts.json")
    assert again.accounts == bank.accounts
    assert again.accounts[stranger.uid].past == 0
    mine, theirs = again.accounts[demo.uid], again.accounts[twin.uid]
    assert list(mine.orders) == sorted(mine.orders) == list(demo.orders)
    assert mine.fills[0] is theirs.fills[0]
    assert mine.fills[0].symbol is mine.orders[mine.fills[0].order_id].symbol


@pytest.mark.parametrize("stays", [True, False])
def test_a_past_goes_with_the_last_who_has_it(
    exchange: Exchange, bank: Bank, demo: Account, tmp_path: Path, stays: bool
) -> None:
    twin = bank.open_like("demo of 1", demo)
    bank.close_account(demo)
    if not stays:
        bank.close_account(twin)
    bank.save()
    assert (tmp_path / PAST).exists() == stays
    again = Bank(exchange, tmp_path / "accounts.json")
    assert again.accounts == bank.accounts


def test_every_made_up_year_is_a_past(bank: Bank, demo: Account) -> None:
    """The demo's, and that of who is opened with one, whose twins others are."""
    lived = bank.open_account("demo of 1", {}, {})
    Year(bank, lived, seed=1).live()
    assert {demo.past, lived.past} == {1, 2}
    assert bank.open_like("demo of 2", lived).past == lived.past
