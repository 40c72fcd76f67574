"""Pauses that grow, each name for itself."""

from lib.parking import Parking


def test_pauses_double_up_to_the_longest_and_begin_anew_after_success() -> None:
    now = [0.0]
    parking = Parking(first=1, longest=6, clock=lambda: now[0])
    assert not parking.is_parked("ill")
    assert [parking.park("ill") for _ in range(5)] == [1, 2, 4, 6, 6]
    parking.clear("ill")
    assert not parking.is_parked("ill")
    assert parking.park("ill") == 1
    assert parking.is_parked("ill")
    assert not parking.is_parked("well")
    now[0] = 1.0
    assert not parking.is_parked("ill")
    assert parking.park("ill", longest=1.5) == 1.5
