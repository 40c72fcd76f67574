"""A local order book kept as Binance describes it, for spot and for USD-M.

Frames are kept until a snapshot comes; those it already holds are dropped; from then on no frame
may leave a hole behind the one before, else the book begins anew with another snapshot. Frames say
absolute quantities, so one that overlaps what is known (two connections side by side while one is
replaced) changes nothing wrongly. Sources: binance-spot-api-docs web-socket-streams.md "How to
manage a local order book correctly" (2025-11); developers.binance.com, the same page of USD-M.
"""

from collections import deque

from market.book.levels import DepthChange, Levels, Snapshot

# 100 s of frames: a snapshot that takes longer is not worth waiting for.
MOST_KEPT = 1000
# A second connection lags by less.
BEGAN_ANEW_MS = 10_000


class BookKeeper:
    """`take` every frame, `begin` with a snapshot whenever `needs_snapshot`. Pure: who fetches the
    snapshot, and how often, is the caller's. `depth` is how many levels snapshots have a side."""

    def __init__(self, depth: int) -> None:
        self.levels: Levels | None = None
        self.depth = depth
        # the newest update that is in the book, and the exchange's time of it (epoch ms)
        self.last_id = 0
        self.time = 0
        # how often a hole or a crossed book was found
        self.losses = 0
        self._waiting: deque[DepthChange] = deque(maxlen=MOST_KEPT)

    @property
    def needs_snapshot(self) -> bool:
        return self.levels is None

    def take(self, change: DepthChange) -> bool:
        """Returns whether the book has changed."""
        if self.levels is None:
            self._waiting.append(change)
            return False
        if change.last_id <= self.last_id:
            if change.time > self.time + BEGAN_ANEW_MS:  # lower ids of later changes
                self._lose()
            return False
        if not _follows(change, self.last_id):
            self._lose()
            self._waiting.append(change)
            return False
        self.levels.change(change.bids, change.asks)
        self.last_id, self.time = change.last_id, change.time
        if self.levels.is_crossed:
            self._lose()
            return False
        return True

    def begin(self, snapshot: Snapshot) -> bool:
        """Returns False when the snapshot is older than the frames, or the frames are not one
        behind the other: ask for another one."""
        levels = Levels(snapshot, self.depth)
        last_id, time = snapshot.last_id, snapshot.time
        for index, change in enumerate(self._waiting):
            if change.last_id <= last_id:
                continue
            if not _follows(change, last_id):
                for _ in range(index):  # what lies before the hole is of no use any more
                    self._waiting.popleft()
                return False
            levels.change(change.bids, change.asks)
            last_id, time = change.last_id, change.time
        if levels.is_crossed:
            self._lose()
            return False
        self.levels, self.last_id, self.time = levels, last_id, time
        self._waiting.clear()
        return True

    def forget(self) -> None:
        """Begin anew with the frames that come from now on."""
        self.levels = None
        self._waiting.clear()

    def _lose(self) -> None:
        self.forget()
        self.losses += 1


def _follows(change: DepthChange, last_id: int) -> bool:
    """Nothing lies between the book and the frame."""
    if change.previous_id is not None:
        return change.previous_id <= last_id
    return change.first_id <= last_id + 1
