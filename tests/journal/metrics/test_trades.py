"""Metrics of trades, each worked out by hand."""

from decimal import Decimal as D

import pytest

from journal.metrics import trades as m
from journal.metrics.undefined import Undefined

NETS = [D(100), D(-50), D(0), D(200), D(-100)]


def test_win_rates_with_and_without_breakeven() -> None:
    assert m.win_rate(NETS) == D("0.4")
    assert m.win_rate_without_breakeven(NETS) == D("0.5")


def test_averages_payoff_and_profit_factor() -> None:
    assert (m.average_win(NETS), m.average_loss(NETS)) == (D(150), D(-75))
    assert m.payoff_ratio(NETS) == D(2)
    assert m.profit_factor(NETS) == D(2)
    assert m.expectancy(NETS) == D(30)


def test_kelly() -> None:
    # 2/5 - (2/5) / 2
    assert m.kelly(NETS) == D("0.2")


def test_no_losses_is_said_and_not_numbered() -> None:
    assert m.profit_factor([D(1)]) is Undefined.NO_LOSSES
    assert m.payoff_ratio([D(1)]) is Undefined.NOTHING
    assert m.recovery_factor([D(1)]) is Undefined.NOTHING
    assert m.kelly([D(1)]) is Undefined.NOTHING


@pytest.mark.parametrize(
    "metric",
    [
        m.win_rate,
        m.win_rate_without_breakeven,
        m.average_win,
        m.average_loss,
        m.payoff_ratio,
        m.profit_factor,
        m.expectancy,
        m.expectancy_r,
        m.sqn,
        m.kelly,
        m.k_ratio,
        m.chance,
        m.recovery_factor,
    ],
)
def test_nothing_has_no_value(metric: object) -> None:
    assert metric([]) is Undefined.NOTHING  # type: ignore[operator]


def test_r_uses_the_initial_stop() -> None:
    assert m.initial_risk(entry=D(100), initial_stop=D(95), quantity=D(2)) == D(10)
    assert m.r_multiple(D(50), D(10)) == D(5)
    assert m.r_multiple(D(50), m.initial_risk(D(100), D(100), D(2))) is Undefined.NOTHING


def test_sqn_caps_its_count_at_a_hundred() -> None:
    few = m.sqn([D(1), D(3)])  # sqrt(2) x 2 / sqrt(2)
    assert isinstance(few, D) and abs(few - 2) < D("1e-40")
    many = m.sqn([D(1), D(3)] * 100)
    assert isinstance(many, D)
    assert abs(many - D(10) * 2 / (D(200) / 199).sqrt()) < D("1e-20")


def test_k_ratio_is_slope_over_its_standard_error() -> None:
    # cumulative 1, 3, 3: slope 1, mean 7/3, residuals -1/3, 2/3, -1/3,
    # error sqrt((6/9) / 1 / 2) = sqrt(1/3)
    found = m.k_ratio([D(1), D(2), D(0)])
    assert isinstance(found, D) and abs(found - D(3).sqrt()) < D("1e-20")
    assert m.k_ratio([D(1), D(1), D(1)]) is Undefined.NOTHING  # a straight line has no error


def test_chance_is_the_p_value_of_a_t_test() -> None:
    # mean 1, deviation sqrt(2/3), n = 4: t = sqrt(6), 3 degrees of freedom: p = 0.0917
    rs = [D(0), D(1), D(1), D(2)]
    assert m.chance(rs) == pytest.approx(0.09172, abs=1e-4)
    assert m.chance([D(1), D(-1)]) == pytest.approx(1.0)


def test_drawdown_in_money_starts_at_zero() -> None:
    assert m.max_drawdown_money([D(-10), D(5), D(20), D(-8)]) == D(-10)
    assert m.max_drawdown_money([D(5), D(10)]) == 0
    assert m.recovery_factor([D(-10), D(30)]) == D(2)


def test_streaks_end_at_a_breakeven_trade() -> None:
    found = m.streaks([D(1), D(1), D(0), D(1), D(-1), D(-1), D(-1)])
    assert (found.longest_win, found.longest_loss, found.current) == (2, 3, -3)


def test_exposure_counts_overlaps_once() -> None:
    assert m.exposure([(0, 4), (2, 6), (8, 20)], 0, 10) == 0.8
    assert m.exposure([], 5, 5) is Undefined.NOTHING
