"""MAE and MFE by hand, in money."""

from datetime import UTC, date, datetime, time
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest

from journal.metrics.days import by_day, day_of
from journal.metrics.excursion import (
    Excursion,
    Execution,
    Span,
    after_exit,
    excursion,
    exit_efficiency,
    slippage,
)
from journal.metrics.undefined import Undefined


def spans(*rows: tuple[int, int, int]) -> list[Span]:
    return [Span(second, D(low), D(high)) for second, low, high in rows]


def test_a_long_goes_against_and_for() -> None:
    fills = [Execution(10, D(2), D(100)), Execution(20, D(-2), D(105))]
    found = excursion(fills, spans((12, 95, 101), (15, 99, 110)))
    assert found == Excursion(D(-10), D(20))
    assert exit_efficiency(D(10), found) == D("0.5")


def test_a_short_is_the_mirror() -> None:
    fills = [Execution(10, D(-1), D(100)), Execution(20, D(1), D(90))]
    assert excursion(fills, spans((12, 85, 103))) == Excursion(D(-3), D(15))


def test_a_later_lot_does_not_inherit_extremes_from_before_its_entry() -> None:
    # 1 at 100, low 90 (-10); then 1 more at 95; low 94: -100 - 95 + 2 x 94 = -7
    fills = [Execution(10, D(1), D(100)), Execution(20, D(1), D(95)), Execution(30, D(-2), D(100))]
    assert excursion(fills, spans((12, 90, 100), (22, 94, 101))) == Excursion(D(-10), D(7))


def test_in_the_fills_own_second_only_its_price_counts() -> None:
    fills = [Execution(10, D(1), D(100)), Execution(20, D(-1), D(100))]
    assert excursion(fills, spans((10, 50, 200), (20, 50, 200))) == Excursion(D(0), D(0))


def test_prices_before_entry_and_after_exit_do_not_count() -> None:
    fills = [Execution(10, D(1), D(100)), Execution(20, D(-1), D(100))]
    assert excursion(fills, spans((9, 50, 200), (21, 50, 200))) == Excursion(D(0), D(0))


def test_an_open_trade_runs_on() -> None:
    assert excursion([Execution(10, D(1), D(100))], spans((99, 90, 130))) == Excursion(
        D(-10), D(30)
    )
    assert exit_efficiency(D(1), Excursion(D(0), D(0))) is Undefined.NOTHING
    assert excursion([], []) == Excursion(D(0), D(0))


def test_what_holding_on_would_have_brought() -> None:
    path = spans((1, 95, 102), (2, 99, 110))
    assert after_exit(True, D(100), D(2), path) == Excursion(D(-10), D(20))
    assert after_exit(False, D(100), D(2), path) == Excursion(D(-20), D(10))


def test_slippage_is_a_cost_on_both_sides() -> None:
    assert slippage(D(101), D(100), D(2), is_buy=True) == D(2)
    assert slippage(D(99), D(100), D(2), is_buy=False) == D(2)


def test_a_day_is_the_users() -> None:
    seoul = ZoneInfo("Asia/Seoul")
    late = datetime(2026, 1, 1, 16, 30, tzinfo=UTC)  # 01:30 on the 2nd in Seoul
    assert day_of(late, seoul) == date(2026, 1, 2)
    assert day_of(late, seoul, time(9)) == date(2026, 1, 1)
    assert by_day([(late, D(1)), (late, D(2))], seoul) == {date(2026, 1, 2): D(3)}
    with pytest.raises(ValueError, match="aware"):
        day_of(datetime(2026, 1, 1), seoul)  # noqa: DTZ001
