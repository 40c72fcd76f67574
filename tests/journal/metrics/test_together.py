"""Correlation and common risk, worked by hand."""

import math

import numpy as np
import pytest

from journal.metrics.together import correlation, effective


def test_what_moves_as_one_and_what_moves_against() -> None:
    a = np.tile([0.01, -0.01], 50)
    assert correlation("A", "B", a, a).value == 1.0
    assert correlation("A", "B", a, -a).value == -1.0


def test_a_range_by_fishers_z() -> None:
    """Of 100 hours with a correlation of 0: tanh(1.959964 / sqrt(97)) either way."""
    a, b = np.tile([1.0, 1.0, -1.0, -1.0], 25), np.tile([1.0, -1.0, 1.0, -1.0], 25)
    found = correlation("A", "B", a, b)
    assert found.value == pytest.approx(0.0)
    assert found.count == 100
    assert found.high == pytest.approx(math.tanh(1.959964 / math.sqrt(97)))
    assert found.low == pytest.approx(-math.tanh(1.959964 / math.sqrt(97)))


def test_hours_that_are_not_known_of_both_do_not_count() -> None:
    a, b = np.tile([0.01, -0.01], 50), np.tile([0.01, -0.01], 50)
    b[:29] = np.nan
    assert (correlation("A", "B", a, b).value, correlation("A", "B", a, b).count) == (None, 71)


def test_how_much_of_one_bet_it_is() -> None:
    assert effective([3.0, 4.0], {(0, 1): 1.0}) == pytest.approx(1.0)
    assert effective([3.0, 4.0], {(0, 1): 0.0}) == pytest.approx(5 / 7)
    # a long and a short of the same
    assert effective([3.0, -3.0], {(0, 1): 1.0}) == pytest.approx(0.0)
    assert effective([3.0, 4.0], {}) is None
