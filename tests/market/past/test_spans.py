"""Stretches of time: joined, taken from one another, cut into requests."""

from hypothesis import given
from hypothesis import strategies as st

from market.past.spans import Stretch, is_within, merged, minus, pages, widened

stretches = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def seconds_of(found: list[Stretch]) -> set[int]:
    return {at for start, end in found for at in range(start, end)}


def test_what_touches_is_one() -> None:
    assert merged([(5, 9), (0, 3), (3, 5), (20, 20), (12, 14)]) == [(0, 9), (12, 14)]


@given(stretches, stretches)
def test_what_is_left_is_what_nobody_knows(wanted: list[Stretch], known: list[Stretch]) -> None:
    left = minus(wanted, merged(known))
    assert seconds_of(left) == seconds_of(wanted) - seconds_of(known)
    assert left == merged(left)


@given(stretches, st.tuples(st.integers(0, 60), st.integers(1, 60)))
def test_a_stretch_is_within_when_each_second_of_it_is(
    known: list[Stretch], asked: tuple[int, int]
) -> None:
    start, end = asked[0], asked[0] + asked[1]
    assert is_within(start, end, merged(known)) == (set(range(start, end)) <= seconds_of(known))


def test_stretches_grow_to_whole_steps() -> None:
    assert widened([(61, 119), (150, 181)], 60) == [(60, 240)]


def test_one_weight_for_a_thousand_takes_neighbours_along() -> None:
    wanted = [(0, 600), (30_000, 30_600), (90_000, 90_600)]
    # 500 minutes lie between the first two, 1,510 minutes are too many for one request
    assert pages(wanted, 60, 1000, lambda count: 2) == [(0, 30_600), (90_000, 90_600)]


def test_a_weight_by_count_leaves_them_apart() -> None:
    def weigh(count: int) -> int:
        return 1 if count < 100 else 2 if count < 500 else 5

    wanted = [(0, 600), (3_600, 4_200), (30_000, 30_600)]
    assert pages(wanted, 60, 1000, weigh) == [(0, 4_200), (30_000, 30_600)]


@given(stretches, st.integers(1, 7), st.integers(1, 9))
def test_requests_hold_everything_and_are_never_too_long(
    wanted: list[Stretch], step: int, most: int
) -> None:
    found = pages(wanted, step, most, lambda count: 2)
    assert seconds_of(wanted) <= seconds_of(found)
    assert all((end - start) // step <= most for start, end in found)
    assert sum(1 for _ in found) <= max(1, -(-60 // step) // most + 1)
