"""Minutes as they are rolled up while they run: the seconds that are over are summed once."""

from collections.abc import Container, Mapping

from market.flow.bars import Bar


class Minutes:
    def __init__(self) -> None:
        # minute -> (the second up to which it is summed, the sum)
        self._before: dict[int, tuple[int, Bar]] = {}

    def of(self, minute: int, seconds: Mapping[int, Bar], changed: set[int]) -> Bar:
        """The roll-up of the minute's `seconds`; `changed` are those of all minutes that changed
        since the last write."""
        newest = max(seconds)
        own = [second for second in changed if second - second % 60 == minute]
        until, bar = self._before.get(minute, (minute, Bar(minute)))
        if own and min(own) < until:  # something that was summed has changed
            until, bar = minute, Bar(minute)
        for second in sorted(second for second in seconds if until <= second < newest):
            bar.add(seconds[second])
        self._before[minute] = (newest, bar)
        whole = bar.copy()
        whole.add(seconds[newest])
        return whole

    def keep(self, held: Container[int]) -> None:
        """Only what is still held."""
        self._before = {minute: sums for minute, sums in self._before.items() if minute in held}

    def forget(self) -> None:
        self._before.clear()
