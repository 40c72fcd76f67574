"""When an alert is armed, fires and is armed again: two small machines over exact integers.

A **level** (of a price) is armed while the price is known to be on one side of it. A crossing makes
it unarmed until the price has gone away from the level by the margin, or the cooldown is over.
A **threshold** (of any value) is armed until the value holds, and again when it has gone back by
the margin, or no longer holds and the cooldown is over. What happens during a cooldown is not told
later.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

ABOVE, BELOW = "above", "below"


@dataclass(frozen=True)
class State:
    """Where one alert stands; times in epoch ms of the exchange.

    `side` is of levels: the side on which the price is known to be, empty while unarmed; `seen_ms`:
    nothing before it counts any more.
    """

    side: str = ""
    is_armed: bool = True
    fired_ms: int = 0
    seen_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "side": self.side,
            "armed": self.is_armed,
            "fired_ms": self.fired_ms,
            "seen_ms": self.seen_ms,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        return cls(
            str(raw.get("side", "")),
            bool(raw.get("armed", True)),
            int(raw.get("fired_ms", 0)),
            int(raw.get("seen_ms", 0)),
        )


@dataclass(frozen=True)
class Step:
    """An alert's next state, and whether that is told; `value` is what crossed, scaled as the
    condition's own numbers are."""

    state: State
    is_fired: bool = False
    at_ms: int = 0
    value: int = 0


@dataclass(frozen=True)
class Level:
    """`level` and `margin` scaled as prices are."""

    level: int
    margin: int
    direction: str
    cooldown_ms: int

    def step(
        self, state: State, first: int, high: int, low: int, last: int, at_ms: int, end_ms: int
    ) -> Step | None:
        """One bar, by the price before it or its own first one. None where nothing changes."""
        side = state.side or self._side(state, first, first, first, at_ms)
        step = self._crossing(side, state, high, low, at_ms, end_ms) if side else None
        if step is not None:
            # it may have gone far enough within the same bar
            again = self._side(step.state, high, low, last, end_ms)
            return replace(step, state=replace(step.state, side=again, is_armed=bool(again)))
        if not side:
            side = self._side(state, high, low, last, end_ms)
        if side == state.side:
            return None
        return Step(replace(state, side=side, is_armed=True, seen_ms=end_ms))

    def bounds(self, state: State) -> tuple[int, int]:
        """Prices strictly between these change nothing; equal ones mean look each time."""
        if state.side == BELOW:
            return -1, self.level
        if state.side == ABOVE:
            return self.level, 1 << 120
        return self.level, self.level

    def _crossing(
        self, side: str, state: State, high: int, low: int, at_ms: int, end_ms: int
    ) -> Step | None:
        is_up = side == BELOW and high >= self.level
        is_down = side == ABOVE and low <= self.level
        if not is_up and not is_down:
            return None
        is_told = self.direction in {"both", "up" if is_up else "down"}
        is_told = is_told and is_over(state, self.cooldown_ms, at_ms)
        fired_ms = at_ms if is_told else state.fired_ms
        return Step(State("", False, fired_ms, end_ms), is_told, at_ms, high if is_up else low)

    def _side(self, state: State, high: int, low: int, last: int, at_ms: int) -> str:
        """On which side the price is far enough from the level to be armed; empty: on none."""
        is_free = state.is_armed or has_waited(state, self.cooldown_ms, at_ms)
        margin = 0 if is_free else self.margin
        if last > self.level and (last > self.level + margin or high > self.level + margin):
            return ABOVE
        if last < self.level and (last < self.level - margin or low < self.level - margin):
            return BELOW
        return ""


@dataclass(frozen=True)
class Threshold:
    """Holds while the value is at `threshold` or beyond it (`is_above`) or below (not)."""

    threshold: int
    is_above: bool
    margin: int
    cooldown_ms: int

    def step(self, state: State, value: int, at_ms: int) -> Step | None:
        beyond = value - self.threshold if self.is_above else self.threshold - value
        if beyond >= 0:
            if not state.is_armed:
                return None
            is_told = is_over(state, self.cooldown_ms, at_ms)
            fired_ms = at_ms if is_told else state.fired_ms
            return Step(State("", False, fired_ms, at_ms), is_told, at_ms, value)
        if state.is_armed:
            return None
        if beyond < -self.margin or has_waited(state, self.cooldown_ms, at_ms):
            return Step(replace(state, is_armed=True, seen_ms=at_ms))
        return None


def is_over(state: State, cooldown_ms: int, at_ms: int) -> bool:
    """Whether it may be told again."""
    return not state.fired_ms or at_ms >= state.fired_ms + cooldown_ms


def has_waited(state: State, cooldown_ms: int, at_ms: int) -> bool:
    """Whether a cooldown that there is has passed, so that the margin no longer matters."""
    return cooldown_ms > 0 and bool(state.fired_ms) and is_over(state, cooldown_ms, at_ms)
