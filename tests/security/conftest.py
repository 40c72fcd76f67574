"""A process's time, shared by users, and seconds that pass when told."""

import pytest

from accounts.shares import Cost, Shares


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(clock: Clock) -> Shares:
    return Shares(clock)


def work(known: Shares, clock: Clock, who: str, seconds: float, every: float) -> None:
    """Ten seconds long, requests of so many seconds, so often."""
    for _ in range(int(10 / every)):
        clock.now += every
        known.asks(who)
        known.charge(who, Cost(seconds))
