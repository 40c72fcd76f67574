"""A trade under other rules, on paths of a few bars worked by hand."""

import math

import numpy as np
import pytest

from journal.metrics.twin import (
    Exit,
    Held,
    Path,
    flow_turns,
    funding_is_known,
    stop_and_target,
    time_exit,
    trailing,
)

BEGIN = 1000


def path(
    *bars: tuple[float, float, float, float], large: list[float] | None = None, fine: int = 10**6
) -> Path:
    """Bars of one second (open, low, high, close) from BEGIN on."""
    prices = np.array(bars, dtype=np.float64).reshape(-1, 4)
    ends = np.arange(BEGIN + 1, BEGIN + 1 + len(bars), dtype=np.int64)
    flow = np.array(large if large is not None else [math.nan] * len(bars), dtype=np.float64)
    return Path(ends, prices[:, 0], prices[:, 1], prices[:, 2], prices[:, 3], flow, fine)


def held(*, is_long: bool = True, risk: float | None = 5.0, closed: int = 1100) -> Held:
    """Two units at 100 with a stop 5 away; a thousandth of the value as fee at the exit."""
    return Held(
        is_long=is_long,
        entry=100.0,
        risk=risk,
        worth=2.0,
        entry_fees=0.2,
        fee_rate=0.001,
        funding=[(BEGIN + 3, -0.5), (BEGIN + 50, -0.5)],
        begins=BEGIN,
        closed=closed,
    )


def test_the_target_ends_it_where_it_is_reached_first() -> None:
    found = stop_and_target(held(), path((100, 97, 103, 102), (102, 101, 106, 105)), 1.0)
    assert found == Exit(105.0, BEGIN + 2)


def test_a_stop_is_filled_at_the_opening_that_lies_beyond_it() -> None:
    found = stop_and_target(held(), path((100, 97, 103, 98), (93, 92, 94, 93)), 1.0)
    assert found == Exit(93.0, BEGIN + 2)


def test_both_in_one_bar_cannot_be_told_and_the_worse_is_taken() -> None:
    found = stop_and_target(held(), path((100, 94, 106, 100)), 1.0)
    assert found == Exit(95.0, BEGIN + 1, other=105.0)


def test_a_short_is_the_same_upside_down() -> None:
    found = stop_and_target(held(is_long=False), path((100, 94, 103, 96)), 1.0)
    assert found == Exit(95.0, BEGIN + 1)
    found = stop_and_target(held(is_long=False), path((107, 106, 108, 107)), 1.0)
    assert found == Exit(107.0, BEGIN + 1)


def test_what_no_rule_ends_stands_at_the_last_price() -> None:
    found = stop_and_target(held(), path((100, 97, 103, 102)), 1.0)
    assert found == Exit(102.0, BEGIN + 1, is_end=True)
    assert stop_and_target(held(risk=None), path((100, 97, 103, 102)), 1.0) is None


def test_a_trailing_stop_follows_the_best_of_the_bars_before() -> None:
    # best 110 after the first bar: the stop is at 105, and 104 reaches it
    found = trailing(held(), path((106, 106, 110, 110), (110, 104, 111, 105)), 1.0)
    assert found == Exit(105.0, BEGIN + 2)


def test_a_trailing_stop_within_its_own_best_bar_cannot_be_told() -> None:
    # the first bar's best of 110 would put the stop at 105, and its worst is 99: which came first?
    found = trailing(held(), path((100, 99, 110, 104), (104, 103, 104, 103)), 1.0)
    assert found == Exit(104.0, BEGIN + 2, other=105.0)


def test_time_ends_it_at_the_close_of_its_second() -> None:
    three = path((100, 100, 100, 101), (101, 101, 101, 102), (102, 102, 102, 103))
    assert time_exit(held(), three, 2) == Exit(102.0, BEGIN + 2)
    assert time_exit(held(closed=BEGIN + 2), three, 2) is None


def test_large_orders_against_the_trade_end_it() -> None:
    three = path(
        (100, 100, 100, 101), (101, 101, 101, 102), (102, 102, 102, 99), large=[5.0, 0.0, -6.0]
    )
    assert flow_turns(held(closed=BEGIN + 3), three) == Exit(99.0, BEGIN + 3)
    # a window of one second forgets the 5
    assert flow_turns(held(is_long=False, closed=BEGIN + 3), three, 1) == Exit(101.0, BEGIN + 1)
    assert flow_turns(held(closed=BEGIN + 2), three) is None


def test_without_bands_or_seconds_nothing_is_guessed() -> None:
    with pytest.raises(ValueError, match="bands"):
        flow_turns(held(closed=BEGIN + 1), path((100, 100, 100, 100)))
    with pytest.raises(ValueError, match="seconds"):
        flow_turns(held(), path((100, 100, 100, 100), large=[1.0], fine=BEGIN + 1))


def test_net_counts_both_fees_and_the_funding_until_then() -> None:
    # 2 x 5 gross, 0.2 at the entry, 0.21 at the exit, one payment of 0.5
    assert held().net(105.0, BEGIN + 10) == pytest.approx(10 - 0.2 - 0.21 - 0.5)
    assert held(is_long=False).net(105.0, BEGIN + 60) == pytest.approx(-10 - 0.2 - 0.21 - 1.0)


def test_bars_behind_a_moment_are_those_that_begin_then() -> None:
    three = path((1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3))
    assert three.behind(BEGIN + 1).closes.tolist() == [2.0, 3.0]
    assert three.until(BEGIN + 1).closes.tolist() == [1.0]


def test_a_settlement_may_lie_at_any_full_hour() -> None:
    assert funding_is_known(3600, 7199)
    assert not funding_is_known(3599, 3600)
