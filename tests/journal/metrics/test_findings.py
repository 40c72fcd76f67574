"""What may be claimed of groups of trades: hand-worked corrections, and planted truths found."""

import math

import numpy as np
import pytest

from benchmarks.traders import LEAKS, trader
from journal.metrics.findings import (
    LEAST,
    Dimension,
    Habit,
    benjamini_hochberg,
    find,
    means_by,
)
from journal.metrics.resampling import MOST_RESAMPLED
from journal.metrics.trades import student_p
from journal.metrics.traits import dimensions


def test_the_correction_keeps_what_its_line_lets_through() -> None:
    """The first example of Benjamini & Hochberg (1995, section 3.2): 15 p, four stand at 0.05."""
    ps = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    ps += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert benjamini_hochberg(ps, 0.05) == [True] * 4 + [False] * 11
    assert benjamini_hochberg([], 0.05) == []


def test_a_later_one_carries_those_before_it() -> None:
    """0.04 <= 0.05 x 2 / 2 stands, and so does 0.03, which is above 0.05 x 1 / 2."""
    assert benjamini_hochberg([0.04, 0.03], 0.05) == [True, True]


def test_students_p_is_that_of_the_tables() -> None:
    assert math.isclose(student_p(2.228, 10), 0.05, abs_tol=1e-4)
    assert math.isclose(student_p(-2.845, 20), 0.01, abs_tol=1e-4)


def test_too_few_trades_are_said_to_be_too_few() -> None:
    groups = ["a"] * (LEAST - 1) + ["b"] * 60
    found = find([-9.0] * (LEAST - 1) + [1.0, 2.0] * 30, [Dimension("symbol", groups)])
    assert found.claims == []
    assert ("symbol", "a", LEAST - 1) in found.too_few
    assert found.questions == 0


def test_a_plain_difference_is_claimed_with_its_numbers() -> None:
    """20 trades of -1 ± 0.5 against 40 of 1 ± 0.5: the effect is -2."""
    results = [-1.5, -0.5] * 10 + [0.5, 1.5] * 20
    found = find(results, [Dimension("symbol", ["a"] * 20 + ["b"] * 40)])
    (claim,) = found.claims
    assert (claim.group, claim.count, claim.rest_count) == ("a", 20, 40)
    assert (claim.mean, claim.rest_mean, claim.effect) == (-1.0, 1.0, -2.0)
    assert -2.5 < claim.low < -2.0 < claim.high < -1.5
    assert claim.p == 1 / 2000


def test_trades_of_an_unknown_group_are_no_rest() -> None:
    results = [-1.5, -0.5] * 10 + [0.5, 1.5] * 10 + [100.0] * 20
    groups = ["a"] * 20 + ["b"] * 20 + [None] * 20
    found = find(results, [Dimension("flow", groups)])
    assert {one.group: one.rest_mean for one in found.compared} == {"a": 1.0, "b": -1.0}


def test_equal_results_differ_in_nothing() -> None:
    found = find([1.0] * 80, [Dimension("symbol", ["a", "b"] * 40)])
    assert [one.p for one in found.compared] == [1.0, 1.0]
    assert found.claims == []


def test_the_same_trades_give_the_same_answer() -> None:
    one = trader(np.random.default_rng(3))
    results = [entry.result for entry in one.entries]
    asked = dimensions(one.entries)
    assert find(results, asked, one.habits) == find(results, asked, one.habits)


def test_a_habit_is_judged_by_pairs() -> None:
    """Kept -1, made -2 ± 0.1: 1 R is lost by each of 30."""
    found = find([], [], [Habit("stop_moved", [-1.0] * 30, [-2.1, -1.9] * 15)])
    (claim,) = found.claims
    assert math.isclose(claim.effect, -1.0)
    assert claim.low < -1.0 < claim.high
    few = find([], [], [Habit("stop_moved", [-1.0] * 3, [-2.0] * 3)])
    assert few.claims == []
    assert few.too_few == [("stop_moved", "", 3)]


def test_many_trades_are_told_from_students_distribution() -> None:
    random = np.random.default_rng(1)
    results = random.normal(0, 1, MOST_RESAMPLED + 1000)
    results[::4] -= 0.3
    planted = ["a" if at % 4 == 0 else "b" for at in range(len(results))]
    nothing = [str(at % 3) for at in range(len(results))]
    found = find(results, [Dimension("symbol", planted), Dimension("weekday", nothing)])
    assert [(one.dimension, one.group) for one in found.claims] == [("symbol", "a")]
    (claim,) = found.claims
    assert claim.low < -0.3 < claim.high


def test_it_refuses_a_dimension_of_other_trades() -> None:
    with pytest.raises(ValueError, match="expected a group of symbol for each of 2 trades, was 1"):
        find([1.0, 2.0], [Dimension("symbol", ["a"])])


def test_what_is_chosen_by_the_outcome_is_never_claimed() -> None:
    costs = means_by({"late": [-1.0, -3.0], "fear": [2.0]})
    assert (costs["late"].mean, costs["late"].count) == (-2.0, 2)
    assert (costs["fear"].low, costs["fear"].high) == (2.0, 2.0)
    assert not any(cost.is_claim for cost in costs.values())


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found(leak: str) -> None:
    """Six seeded traders of each; `make bench-insight` counts two hundred."""
    found = 0
    for seed in range(6):
        one = trader(np.random.default_rng(seed), leak)
        claims = find([e.result for e in one.entries], dimensions(one.entries), one.habits).claims
        found += any((c.dimension, c.group) == LEAKS[leak] and c.effect < 0 for c in claims)
    assert found >= 5


def test_traders_without_edge_hear_of_hardly_anything() -> None:
    """At the chosen 4 %, more than 4 of 25 would come once in five hundred times."""
    false = 0
    for seed in range(25):
        one = trader(np.random.default_rng(seed))
        claims = find([e.result for e in one.entries], dimensions(one.entries), one.habits).claims
        false += bool(claims)
    assert false <= 4
