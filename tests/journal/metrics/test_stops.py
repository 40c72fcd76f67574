"""What became of the price behind a stop, worked by hand."""

import numpy as np
import pytest

from journal.metrics.stops import Stopped, after, at_distance, came_back, is_stopped
from journal.metrics.twin import Exit, Held, Path

ENDED = 6000


def minutes(*bars: tuple[float, float]) -> Path:
    """Minutes (low, high) from ENDED on."""
    lows = np.array([low for low, _high in bars])
    highs = np.array([high for _low, high in bars])
    ends = ENDED + 60 * np.arange(1, len(bars) + 1, dtype=np.int64)
    return Path(ends, lows, lows, highs, lows, np.full(len(bars), np.nan), 0)


def stopped(*bars: tuple[float, float]) -> Stopped:
    """Bought at 100, stopped at 95."""
    return Stopped(True, 100.0, 95.0, ENDED, minutes(*bars))


def held(closed: int = ENDED) -> Held:
    return Held(True, 100.0, 5.0, 1.0, 0.0, 0.0, [], 0, closed)


def test_how_far_beyond_and_how_often_back() -> None:
    came = stopped((93, 95), (94, 96), (96, 99), (98, 100), (99, 101))
    went = stopped((94, 95), (90, 92), (88, 90), (85, 88), (85, 86))
    five, fifteen, _hour = after([came] * 15 + [went] * 15)
    assert five.count == 30
    assert five.back.value == 0.5
    # 2 and 10 beyond a stop of 5
    assert five.beyond_r == pytest.approx((0.4 + 2.0) / 2)
    assert five.beyond_r_90 == pytest.approx(2.0)
    assert five.beyond_bps == pytest.approx((2 + 10) / 2 / 95 * 10_000)
    assert (fifteen.count, fifteen.back.value, fifteen.beyond_r) == (0, None, None)


def test_what_is_not_known_so_far_is_not_counted() -> None:
    assert came_back(stopped((93, 100)), 5) is None
    assert came_back(stopped(*[(93, 100)] * 5), 5) is True
    assert came_back(stopped(*[(93, 99.9)] * 5), 5) is False


def test_an_exit_about_at_the_stop_was_one() -> None:
    assert is_stopped(held(), 95.5)
    assert not is_stopped(held(), 96.0)


def test_a_nearer_stop_ends_what_reached_it() -> None:
    way = minutes((98, 101), (97, 99), (95, 97))
    assert at_distance(held(ENDED + 180), way, 0.5, None, was_stopped=True) == Exit(
        97.0, ENDED + 120
    )
    assert at_distance(held(ENDED + 60), way, 0.5, None, was_stopped=False) is None


def test_a_farther_stop_lets_a_stopped_trade_go_on() -> None:
    way = minutes((95, 97), (94, 99), (99, 111))
    assert at_distance(held(ENDED + 60), way, 1.5, 2.0, was_stopped=True) == Exit(
        110.0, ENDED + 180
    )
    assert at_distance(held(ENDED + 60), way, 1.5, 2.0, was_stopped=False) is None
