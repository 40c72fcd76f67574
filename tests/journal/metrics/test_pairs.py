"""The same trades twice, and what a rule was worth; worked by hand."""

import numpy as np
import pytest

from journal.metrics.adherence import worth
from journal.metrics.edge import rolling
from journal.metrics.pairs import compare
from journal.metrics.resampling import ratio_range


def test_a_rule_that_adds_one_to_each_trade_holds() -> None:
    made = [float(number % 5) for number in range(60)]
    other = [value + 1 + (number % 3 - 1) / 10 for number, value in enumerate(made)]
    found = compare({"better": (made, other), "same": (made, made)})
    better, same = found["better"], found["same"]
    assert (better.count, better.holds, same.holds) == (60, True, False)
    assert better.other - better.made == pytest.approx(60)
    assert better.whole is not None
    assert better.whole.mean == pytest.approx(1)
    assert 0.9 < better.whole.low < 1 < better.whole.high < 1.1
    assert better.first is not None
    assert better.first.count == 30
    assert same.p == 1.0


def test_halves_that_contradict_one_another_hold_nothing() -> None:
    made = [0.0] * 100
    other = [10.0 + number % 2 for number in range(50)] + [
        -1.0 - number % 2 for number in range(50)
    ]
    found = compare({"once": (made, other)})["once"]
    assert found.p < 0.001
    assert not found.holds


def test_below_twenty_nothing_is_said() -> None:
    found = compare({"few": ([0.0] * 19, [1.0] * 19)})["few"]
    assert (found.whole, found.first, found.p, found.holds) == (None, None, 1.0, False)
    assert found.other == 19


def test_a_rules_worth_is_kept_less_broken() -> None:
    kept, broken = [2.0, 4.0] * 10, [-1.0, -3.0] * 10
    [found, few] = worth({"rule": (kept, broken), "few": (kept, broken[:19])})
    assert (found.kept_mean, found.broken_mean, found.cost) == (3.0, -2.0, -40.0)
    assert found.difference == 5.0
    assert found.low is not None
    assert found.high is not None
    assert 4 < found.low < 5 < found.high < 6
    assert (few.difference, few.low, few.broken) == (None, None, 19)


def test_rolling_means_end_with_the_newest_trade() -> None:
    found = rolling([1.0] * 50 + [3.0] * 50, window=50)
    assert found is not None
    assert (found.at[0], found.at[-1]) == (50, 100)
    assert (found.means[0], found.means[25], found.means[-1]) == (1.0, 2.0, 3.0)
    assert found.lows[-1] == found.highs[-1] == 3.0
    assert rolling([1.0] * 99, window=50) is None


def test_rolling_means_are_thinned_from_the_end() -> None:
    found = rolling([float(number) for number in range(1000)], window=50)
    assert found is not None
    assert len(found.at) <= 200
    assert found.at[-1] == 1000
    assert found.means[-1] == pytest.approx(974.5)


def test_a_ratios_range_holds_the_ratio() -> None:
    above, below = np.tile([1.0, 3.0], 1500), np.full(3000, 2.0)
    low, high = ratio_range(above, below, np.random.default_rng(1))
    half = 1.959964 * np.std([1.0, 3.0]) / np.sqrt(3000) / 2
    assert low == pytest.approx(1 - half, abs=1e-4)
    assert high == pytest.approx(1 + half, abs=1e-4)
    low, high = ratio_range(above[:40], below[:40], np.random.default_rng(1))
    assert 0.8 < low < 1 < high < 1.2
