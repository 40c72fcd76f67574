"""Coins that the exchange swaps into one another, there and back, in any order (money.md 2.1): no
coin and no cost is lost, by any method."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal as D
from decimal import localcontext
from typing import Any

import pytest

from journal.ledger.lots import METHODS
from tests.money.by_hand import at, buy, changed, kinds, ledger, sell

COINS = ("AAA", "BBB", "CCC")
RATIOS = (D(2), D("0.5"), D(10), D(1))
SHARES = (D("0.25"), D("0.5"), D(1))
NOTHING = D("1e-40")


def history(seed: int) -> tuple[list[Any], dict[str, D], D]:
    """(events, what is held in the end, what was paid in all)"""
    chance = random.Random(seed)
    held = dict.fromkeys(COINS, D(0))
    paid = D(0)
    events: list[Any] = []
    for number, minutes in enumerate(_moments(chance), start=1):
        time = at(1) + timedelta(minutes=minutes)
        coin = chance.choice(COINS)
        kind = chance.choice(("buy", "sell", "swap", "swap"))
        price, share = D(chance.randrange(1, 9)), chance.choice(SHARES)
        if kind == "buy":
            quantity = D(chance.randrange(1, 50))
            events.append(buy(f"{coin}USDT", number, str(price), str(quantity), time=time))
            held[coin] += quantity
            paid += price * quantity
        elif held[coin] and kind == "sell":
            quantity = held[coin] * share
            events.append(sell(f"{coin}USDT", number, str(price), str(quantity), time=time))
            held[coin] -= quantity
        elif held[coin]:
            other = chance.choice([name for name in COINS if name != coin])
            given = held[coin] * share
            received = given * chance.choice(RATIOS)
            events.append(
                changed(f"s{number}", f"{given} {coin}", f"{received} {other}", time, "swap")
            )
            held[coin] -= given
            held[other] += received
    chance.shuffle(events)
    return events, {coin: quantity for coin, quantity in held.items() if quantity}, paid


def _moments(chance: random.Random) -> Iterator[int]:
    minute = 0
    for _ in range(25):
        minute += chance.choice((1, 1, 30))
        yield minute


@pytest.mark.parametrize("method", METHODS)
def test_2_1_swaps_there_and_back_lose_no_coin_and_no_cost(method: str) -> None:
    for seed in range(40):
        events, held, paid = history(seed)
        found = ledger(*events, method=method)
        with localcontext(prec=60):
            cost = sum((position.cost for position in found.positions), D(0))
            by_tax = sum((m.entry_price * m.quantity for m in found.matches), D(0))
            by_trades = sum(
                (m.entry_price * m.quantity for t in found.all_trades for m in t.matches), D(0)
            )
            assert kinds(found) == [], seed
            assert abs(by_trades + cost - paid) < NOTHING, seed
            tax_cost = sum(
                (book.tax_cost for coin in COINS if (book := found.coin(coin)) is not None), D(0)
            )
            assert abs(by_tax + tax_cost - paid) < NOTHING, seed
            left = {p.asset: p.quantity for p in found.positions}
            assert left.keys() == held.keys(), seed
            assert all(abs(left[coin] - held[coin]) < NOTHING for coin in held), seed
