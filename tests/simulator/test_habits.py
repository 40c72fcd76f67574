"""The made-up trader is better with the flow than against it: an edge that is truly in the data."""

import random
from typing import Any

import pytest

from simulator.accounts.habits import MINUTE_MS, Habits
from simulator.accounts.records import USDM
from simulator.sources.walk import DAY_MS, Walks
from tests.simulator.signed import exchange_with_everything

LOOKS = 3_000


class Flowing:
    """A past in which the takers buy."""

    def flow(self, start_us: int, end_us: int) -> float:
        return 0.3


def share_of_good(mind: str) -> float:
    """Of the entries that were taken, how many went the right way within 20 minutes."""
    walks = Walks(1, 20_000 * DAY_MS)
    rules = exchange_with_everything().markets[USDM].listed["BTCUSDT"].symbol.rules
    habits = Habits(random.Random(mind), walks)
    past: Any = Flowing()
    taken = good = 0
    for number in range(LOOKS):
        now = walks.start_ms + number * 31 * MINUTE_MS
        is_long = habits.direction(past, rules, now, mind, may_short=True)
        if is_long is None:
            continue
        assert is_long == (mind == "with")
        later = walks.at(rules, now + 20 * MINUTE_MS)
        taken += 1
        good += (later > walks.at(rules, now)) == is_long
    assert taken > LOOKS / 2
    return good / taken


@pytest.mark.parametrize(("mind", "low", "high"), [("with", 0.68, 0.84), ("against", 0.25, 0.42)])
def test_the_edge_is_with_the_flow(mind: str, low: float, high: float) -> None:
    assert low < share_of_good(mind) < high
