"""The cursor: every trade id once, in order, whatever order and however often frames arrive."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from market.flow.trades import Trade

WAITING_LIMIT = 200_000


@dataclass(frozen=True)
class Hole:
    """Ids that are missing between the cursor and the oldest trade that waits."""

    first_id: int
    last_id: int


class Cursor:
    """`last_id` is the last id handed out; None until the tape has a beginning.

    `t == last_id + 1` is handed out, `t <= last_id` is a duplicate, later ids wait until the hole
    before them is filled or given up. At most WAITING_LIMIT trades wait; newer ones are dropped,
    since their ids can be asked for again.
    """

    def __init__(self, last_id: int | None = None) -> None:
        self.last_id = last_id
        self.waiting: dict[int, Trade] = {}
        self.duplicates = 0
        self.dropped = 0

    def offer(self, trades: Iterable[Trade]) -> list[Trade]:
        """Returns the trades that are now next in line, in id order."""
        ready: list[Trade] = []
        last_id = self.last_id
        if last_id is None:
            raise ValueError("expected a cursor that has a beginning; call begin() first")
        for trade in trades:
            if trade.id == last_id + 1:
                ready.append(trade)
                last_id += 1
            elif trade.id <= last_id or trade.id in self.waiting:
                self.duplicates += 1
            elif len(self.waiting) < WAITING_LIMIT:
                self.waiting[trade.id] = trade
            else:
                self.dropped += 1
        if self.waiting:
            last_id = self._drain(last_id, ready)
        self.last_id = last_id
        return ready

    def begin(self, trades: Sequence[Trade]) -> list[Trade]:
        """Start a tape at the oldest of these trades."""
        self.last_id = min(trade.id for trade in trades) - 1
        return self.offer(trades)

    def move(self, last_id: int | None) -> None:
        """Set the cursor to what a store says; trades that wait and are known there go."""
        self.last_id = last_id
        if last_id is not None:
            self.waiting = {id: t for id, t in self.waiting.items() if id > last_id}

    def hole(self) -> Hole | None:
        if not self.waiting or self.last_id is None:
            return None
        return Hole(self.last_id + 1, min(self.waiting) - 1)

    def give_up(self, last_id: int) -> list[Trade]:
        """Go on behind a hole that ends with `last_id`."""
        self.last_id = last_id
        return self.offer(())

    def _drain(self, last_id: int, ready: list[Trade]) -> int:
        while (trade := self.waiting.pop(last_id + 1, None)) is not None:
            ready.append(trade)
            last_id += 1
        if self.waiting and last_id >= min(self.waiting):
            self.waiting = {id: t for id, t in self.waiting.items() if id > last_id}
        return last_id
