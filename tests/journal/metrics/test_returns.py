"""Metrics of daily returns: by hand, and against empyrical and quantstats where they agree."""

import random
import warnings
from decimal import Decimal as D
from typing import Any

import pytest

from journal.metrics import returns as m
from journal.metrics.undefined import Undefined


def test_a_deposit_is_no_return() -> None:
    # 100 -> 110 is +10 %; then 90 are paid in and nothing happens
    assert m.daily_returns([D(100), D(110), D(200)], [D(0), D(0), D(90)]) == [D("0.1"), D(0)]


def test_flows_must_match_the_days() -> None:
    with pytest.raises(ValueError, match="expected a flow for each"):
        m.daily_returns([D(1), D(2)], [D(0)])


def test_a_day_cut_at_its_flows_is_chained() -> None:
    assert m.time_weighted([(D(100), D(110)), (D(210), D(231))]) == D("0.21")


def test_a_loss_on_the_first_day_is_a_drawdown() -> None:
    assert m.max_drawdown_pct([D("-0.5"), D("0.5")]) == D("-0.5")


def test_money_and_percent_drawdowns_are_other_events() -> None:
    # growth 1, 1.5, 0.9, 9, 6: -40 % and then -33 %, though the second lost far more money
    changes = [D("0.5"), D("-0.4"), D(9), D(-1) / 3]
    assert m.max_drawdown_pct(changes) == D("-0.4")


def test_the_open_drawdown_counts() -> None:
    assert m.longest_drawdown_days([D("0.1"), D("-0.1"), D("0.01"), D("0.01")]) == 3
    # highs on days 1 and 3
    assert m.longest_drawdown_days([D("0.1"), D("-0.1"), D("0.2")]) == 2
    assert m.longest_drawdown_days([D("0.1"), D("0.1")]) == 0


def test_a_short_history_has_no_yearly_growth() -> None:
    assert m.cagr([D("0.01")] * 89) is Undefined.TOO_SHORT
    assert m.calmar([D("0.01")] * 89) is Undefined.TOO_SHORT
    year = m.cagr([D("0.001")] * 365)
    assert isinstance(year, D) and abs(year - (D("1.001") ** 365 - 1)) < D("1e-20")


def test_undefined_cases() -> None:
    flat = [D(0)] * 100
    assert m.sharpe(flat) is Undefined.NOTHING
    assert m.sortino(flat) is Undefined.NO_LOSSES
    assert m.calmar(flat) is Undefined.NOTHING
    assert m.volatility([D(1)]) is Undefined.NOTHING
    assert m.ulcer_index([]) is Undefined.NOTHING
    assert m.value_at_risk([]) is Undefined.NOTHING


@pytest.fixture(scope="module")
def oracles() -> Any:
    """Development-only; they warn on import and on use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import empyrical
        import pandas
        import quantstats.stats

    return empyrical, quantstats.stats, pandas


def test_empyrical_and_quantstats_agree_where_their_definitions_do(oracles: Any) -> None:
    """Named differences: quantstats' ulcer index divides by n - 1, its VaR assumes a normal
    distribution, both count 252 days unless told; so those are not compared."""
    empyrical, quantstats, pandas = oracles
    rng = random.Random(4)
    changes = [D(rng.randint(-400, 420)) / 10_000 for _ in range(400)]
    index = pandas.date_range("2025-01-01", periods=400)
    series = pandas.Series([float(change) for change in changes], index=index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = [
            (m.sharpe(changes), empyrical.sharpe_ratio(series, annualization=365)),
            (m.sharpe(changes), quantstats.sharpe(series, periods=365)),
            (m.sortino(changes), empyrical.sortino_ratio(series, annualization=365)),
            (m.volatility(changes), empyrical.annual_volatility(series, annualization=365)),
            (m.max_drawdown_pct(changes), empyrical.max_drawdown(series)),
            (m.max_drawdown_pct(changes), quantstats.max_drawdown(series)),
            (m.cagr(changes), empyrical.cagr(series, annualization=365)),
            (m.calmar(changes), empyrical.calmar_ratio(series, annualization=365)),
            (m.value_at_risk(changes), empyrical.value_at_risk(series, 0.05)),
        ]
    for number, (ours, theirs) in enumerate(pairs):
        assert isinstance(ours, D)
        assert float(ours) == pytest.approx(float(theirs), rel=1e-9), number
