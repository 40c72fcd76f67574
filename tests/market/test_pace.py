"""A busy process hands on fewer states, and the newest of each bar arrives; by a moved clock."""

from collections.abc import Callable

import pytest

from market.live.pace import Pace, gap_of

TOPIC, OTHER = "flow:spot:BTCUSDT:1m", "flow:spot:ETHUSDT:1m"


class Stage:
    """A pace over a clock that is moved, and what it has handed on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[float, str, str, str]] = []
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.pace = Pace(self._hear, clock=lambda: self.now, later=self._later)

    def _hear(self, topic: str, slot: str, payload: str) -> None:
        self.told.append((round(self.now, 3), topic, slot, payload))

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self.due.append((self.now + seconds, work))

    def move_to(self, moment: float) -> None:
        while self.due and min(at for at, _ in self.due) <= moment:
            at, work = min(self.due, key=lambda item: item[0])
            self.due.remove((at, work))
            self.now = at
            work()
        self.now = moment


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_pace_falls_from_twenty_to_four_a_second_with_the_lag() -> None:
    assert gap_of(0.0) == gap_of(0.02) == 0
    assert gap_of(0.021) == pytest.approx(1 / 20, abs=0.003)
    assert gap_of(0.06) == pytest.approx(0.15)
    assert gap_of(0.1) == gap_of(2.0) == 1 / 4


def test_while_it_keeps_up_every_state_goes_at_once(stage: Stage) -> None:
    for number in range(20):
        stage.move_to(number * 0.001)
        stage.pace.take(TOPIC, "60", str(number))
    assert [payload for *_, payload in stage.told] == [str(number) for number in range(20)]


def test_under_load_a_topic_has_four_states_a_second_and_the_last_one(stage: Stage) -> None:
    stage.pace.saw(0.5)
    for number in range(100):  # a second, a hundred states
        stage.move_to(number * 0.01)
        stage.pace.take(TOPIC, "60", str(number))
    stage.move_to(2.0)
    assert [at for at, *_ in stage.told] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert stage.told[-1] == (1.0, TOPIC, "60", "99")


def test_the_last_state_of_a_bar_that_is_over_arrives_beside_the_next_bars(stage: Stage) -> None:
    stage.pace.saw(0.5)
    for slot, payload in (("0", "a"), ("0", "closed"), ("60", "b"), ("60", "c")):
        stage.pace.take(TOPIC, slot, payload)
    stage.move_to(1.0)
    assert [(slot, payload) for _, _, slot, payload in stage.told] == [
        ("0", "a"),
        ("0", "closed"),
        ("60", "c"),
    ]


def test_a_lively_topic_takes_nothing_from_another(stage: Stage) -> None:
    stage.pace.saw(0.5)
    for number in range(50):
        stage.pace.take(TOPIC, "60", str(number))
    stage.pace.take(OTHER, "60", "first")
    assert stage.told[-1] == (0.0, OTHER, "60", "first")


def test_the_lag_is_forgotten_and_the_pace_rises_again(stage: Stage) -> None:
    stage.pace.saw(0.5)
    for _ in range(50):  # a second without lag
        stage.pace.saw(0.0)
    assert 0.1 < stage.pace.lag < 0.12
    for _ in range(100):
        stage.pace.saw(0.0)
    assert gap_of(stage.pace.lag) == 0


def test_nothing_is_handed_on_of_a_topic_that_nobody_looks_at_any_more(stage: Stage) -> None:
    stage.pace.saw(0.5)
    stage.pace.take(TOPIC, "60", "1")
    stage.pace.take(TOPIC, "60", "2")
    stage.pace.forget(TOPIC)
    stage.move_to(1.0)
    assert [payload for *_, payload in stage.told] == ["1"]
