"""Which times fills and trades need, by hand."""

from journal.planner.needs import (
    Life,
    bands_of,
    by_day,
    hours_of,
    minutes_of,
    seconds_of,
)

DAY, HOUR = 86_400, 3600
NOON = 20_000 * DAY + 12 * HOUR


def test_a_fill_needs_the_hours_of_its_quarter_before() -> None:
    assert minutes_of([], [NOON + 1800]) == [(NOON, NOON + HOUR)]
    # its window begins in the hour before
    assert minutes_of([], [NOON + 300]) == [(NOON - HOUR, NOON + HOUR)]


def test_an_exit_needs_the_hour_behind_it() -> None:
    life = Life(NOON + 1800, NOON + 5400, [NOON + 1800, NOON + 5400])
    # 13:30 to 14:31 is within the hours 13 and 14
    assert minutes_of([life], []) == [(NOON, NOON + 3 * HOUR)]


def test_a_long_life_is_told_by_its_hours_and_days_by_theirs() -> None:
    life = Life(NOON + 10, NOON + 3 * DAY + 10, [NOON + 10, NOON + 3 * DAY + 10])
    [one] = hours_of([life], [])
    assert one == (NOON - 12 * HOUR, NOON + 3 * DAY + HOUR)
    assert hours_of([], [NOON + 1800]) == [(NOON - 12 * HOUR, NOON)]


def test_short_lives_are_told_by_their_seconds() -> None:
    short = Life(NOON, NOON + 600, [NOON, NOON + 600])
    assert seconds_of([short], [NOON]) == [(NOON - 900, NOON + 901)]
    long = Life(NOON, NOON + 900, [NOON, NOON + 900])
    assert seconds_of([long], [NOON]) == [(NOON - 900, NOON + 1)]


def test_a_window_over_midnight_is_of_two_days() -> None:
    midnight = 20_000 * DAY
    found = by_day(bands_of([midnight + 300]))
    assert found == {
        midnight - DAY: [(midnight - 600, midnight)],
        midnight: [(midnight, midnight + 305)],
    }
