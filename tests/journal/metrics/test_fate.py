"""What may come, and whether it changed: cases whose answer is plain."""

import math

import pytest

from journal.metrics.edge import change, kolmogorov
from journal.metrics.fate import fate


def test_equal_trades_leave_nothing_to_chance() -> None:
    found = fate([1.0] * 27, ahead=10, ruin_at=5)
    assert found is not None
    assert found.block == 3
    assert list(found.ends) == [10.0] * 5
    assert list(found.drawdowns) == [0.0] * 5
    assert found.ruin == 0


def test_losses_alone_ruin_surely() -> None:
    found = fate([-1.0] * 20, ahead=5, ruin_at=5)
    assert found is not None
    assert (found.ruin, list(found.drawdowns)) == (1.0, [5.0] * 5)


def test_runs_stay_together() -> None:
    """A block of 5 of 125 trades: one loss of 10 a hundred and twenty-five, so of 5 trades a
    twenty-fifth has one."""
    found = fate([-10.0] + [0.0] * 124, ahead=5, ruin_at=10)
    assert found is not None
    assert math.isclose(found.ruin, 0.04, abs_tol=0.012)


def test_too_few_trades_have_no_fate() -> None:
    assert fate([1.0] * 19, ahead=10, ruin_at=5) is None


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 to 500 trades ahead, was 0"):
        fate([1.0] * 30, ahead=0, ruin_at=5)
    with pytest.raises(ValueError, match="expected a loss above 0"):
        fate([1.0] * 30, ahead=1, ruin_at=0)


def test_a_break_is_found_where_it_is() -> None:
    found = change([1.5, 0.5] * 30 + [-1.5, -0.5] * 20)
    assert found is not None
    assert (found.at, found.before, found.after, found.is_alarm) == (60, 1.0, -1.0, True)


def test_no_break_no_alarm() -> None:
    found = change([1.0, -1.0] * 30)
    assert found is not None
    assert not found.is_alarm
    assert change([1.0] * 60) is None
    assert change([1.0, 2.0] * 19) is None


def test_kolmogorovs_p_is_that_of_the_tables() -> None:
    assert math.isclose(kolmogorov(1.358), 0.05, abs_tol=2e-4)
    assert math.isclose(kolmogorov(1.628), 0.01, abs_tol=1e-4)
    assert kolmogorov(0.1) == 1.0
