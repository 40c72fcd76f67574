"""Alerts over a value that comes by itself: a rate, a result, a count. The same machine as over
bars, without a tape."""

from collections.abc import Mapping
from typing import Any

from alerts.conditions.series import Points
from alerts.conditions.states import State, Step
from alerts.conditions.watches import LONGEST_WINDOW_S, machine_of, threshold_of
from lib.decimals import PLACES

# Every value here is compared at so many places.
VALUE_PLACES = PLACES


class ValueWatch:
    """One alert over one value, scaled by `VALUE_PLACES`."""

    def __init__(self, condition: Mapping[str, Any], cooldown_ms: int, state: State) -> None:
        limit, is_above = threshold_of(condition, VALUE_PLACES)
        self.state = state
        self._machine = machine_of(condition, limit, is_above, cooldown_ms)
        self._window_ms: int | None = None
        self._points = Points(LONGEST_WINDOW_S * 1000)
        if "window_s" in condition and condition["kind"] != "liquidations":
            self._window_ms = int(condition["window_s"]) * 1000

    def feed(self, value: int, at_ms: int) -> Step | None:
        """A value as of a time; older ones than before are passed over."""
        if self._window_ms is not None:
            before = self._points.at(at_ms - self._window_ms)
            if self._points.newest < at_ms:
                self._points.add(at_ms, value)
            if before is None:
                return None
            value -= before
        if at_ms <= self.state.seen_ms:
            return None
        step = self._machine.step(self.state, value, at_ms)
        if step is not None:
            self.state = step.state
        return step
