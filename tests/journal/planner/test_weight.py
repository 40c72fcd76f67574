"""What the total flow of a large account costs, counted in the exchange's weight."""

import random

from journal.planner import needs
from journal.planner.needs import Life
from lib.dates import to_seconds
from market.asking.candles import weight_of
from market.asking.fetching import requests_for
from market.binance.budgets import WEIGHTS_A_MINUTE
from market.binance.governor import SHARES
from market.past import store
from tests.journal.accounts import START

DAY, HOUR = 86_400, 3600
BUDGET_PCT = 80


def a_year_of(fills: int, symbols: int, seed: int) -> dict[int, list[Life]]:
    """Trades by symbol: mostly minutes to hours long, some days, of two to four fills each."""
    chance = random.Random(seed)
    end = to_seconds(START)
    found: dict[int, list[Life]] = {number: [] for number in range(symbols)}
    made = 0
    while made < fills:
        opened = end - chance.randrange(365 * DAY)
        length = int(chance.lognormvariate(8.2, 1.6))
        count = chance.choice((2, 2, 3, 4))
        times = sorted(
            [
                opened,
                opened + length,
                *(opened + chance.randrange(length + 1) for _ in range(count - 2)),
            ]
        )
        found[chance.randrange(symbols)].append(Life(opened, opened + length, times))
        made += count
    return found


def weight_of_totals(market: str, lives: dict[int, list[Life]]) -> int:
    total = 0
    for own in lives.values():
        for grain, wanted in (
            (store.HOUR, needs.hours_of(own, [])),
            (store.MINUTE, needs.minutes_of(own, [])),
        ):
            for start, end in requests_for(market, grain, wanted):
                total += weight_of(market, (end - start) // grain)
    return total


def minutes_of_budget(market: str, weight: int) -> float:
    part = "fapi" if market == "usdm" else "api"
    return weight / (WEIGHTS_A_MINUTE[part] * BUDGET_PCT / 100 * SHARES["candles"])


def test_two_thousand_spot_fills_of_a_year_are_told_within_four_minutes_of_budget() -> None:
    for symbols in (1, 5, 20):
        lives = a_year_of(2000, symbols, seed=symbols)
        assert minutes_of_budget("spot", weight_of_totals("spot", lives)) < 4


def test_two_thousand_futures_fills_of_a_year_too() -> None:
    lives = a_year_of(2000, 10, seed=3)
    assert minutes_of_budget("usdm", weight_of_totals("usdm", lives)) < 4


def test_a_year_of_one_busy_symbol_costs_no_more_than_all_of_its_minutes() -> None:
    weight = weight_of_totals("spot", a_year_of(20_000, 1, seed=7))
    assert weight <= 2 * (365 * DAY // 60_000 + 366 * 24 // 1000 + 4)
