"""What windows are asked of: running sums and prices by time, as far back as the longest window."""

from bisect import bisect_right

# Points that may have become too old before the lists are cut.
SLACK = 4096


class Points:
    """Values by time (epoch s), in time order; the value stands until the next one."""

    def __init__(self, longest: int) -> None:
        self._times: list[int] = []
        self._values: list[int] = []
        self._longest = longest

    @property
    def last(self) -> int | None:
        return self._values[-1] if self._values else None

    @property
    def newest(self) -> int:
        """The time of the last value."""
        return self._times[-1] if self._times else -1

    def add(self, time: int, value: int) -> None:
        """Times only grow."""
        self._times.append(time)
        self._values.append(value)
        if len(self._times) >= SLACK and self._times[SLACK // 2] < time - self._longest:
            too_old = bisect_right(self._times, time - self._longest) - 1
            if too_old > 0:
                del self._times[:too_old], self._values[:too_old]

    def at(self, time: int) -> int | None:
        """The value as it stood then; None where that is not known."""
        place = bisect_right(self._times, time) - 1
        return None if place < 0 else self._values[place]


class Sums(Points):
    """A running sum from `start` on: a window that begins earlier is unknown."""

    def __init__(self, start: int, longest: int) -> None:
        super().__init__(longest)
        self.add(start, 0)

    def grow(self, time: int, amount: int) -> None:
        """`amount` came in until then."""
        if amount:
            self.add(time, self._values[-1] + amount)

    def within(self, now: int, window: int) -> int | None:
        """The sum of (now - window, now]."""
        before = self.at(now - window)
        return None if before is None else self._values[-1] - before
