"""Two, of whom one is ill."""

import pytest
from django.db import OperationalError
from psycopg import errors

from lib.parking import Parking
from market.jobs.guarding import each


def halve(number: int) -> float:
    return 12 / number


def test_the_ill_one_is_left_out_and_the_others_are_done() -> None:
    assert each("halving", [0, 3, 4], halve) == [4, 3]


def test_it_waits_longer_each_time_and_is_tried_again() -> None:
    now = [0.0]
    parked = Parking(first=10, longest=100, clock=lambda: now[0])
    tried: list[int] = []

    def step(number: int) -> None:
        tried.append(number)
        if number == 1 and now[0] < 30:
            raise ValueError("ill")

    for now[0] in (0, 5, 11, 25, 32, 33):
        each("counting", [1, 2], step, parked=parked)
    # after 0 it waits 10 s, after 11 it waits 20
    assert [number for number in tried if number == 1] == [1] * 4
    assert tried.count(2) == 6


def test_a_store_that_is_away_is_nobodys_fault() -> None:
    def step(number: int) -> None:
        raise OperationalError("connection refused")

    with pytest.raises(OperationalError):
        each("asking", [1, 2], step)


def test_a_statement_that_took_too_long_is_this_ones_own() -> None:
    def step(number: int) -> int:
        if number == 1:
            raise OperationalError("timeout") from errors.QueryCanceled()
        return number

    assert each("asking", [1, 2], step) == [2]
