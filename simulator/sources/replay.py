"""Plays a recording again at its own pace or another, once or for ever."""

import csv
import random
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from simulator.book import Book, BookChange
from simulator.listing import Listing
from simulator.sources.events import Best, Event, Hole, Mark
from simulator.sources.makers import Makers
from simulator.tape import Row

MINUTE_US = 60_000_000
BOOK_EVERY_US = 100_000
# Frames of one call when a replay runs as fast as it can.
AT_ONCE = 5_000
# What a damaged file may raise.
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    RecursionError,
    struct.error,
    zlib.error,
    csv.Error,
)


class Timed(NamedTuple):
    """An event as recorded, `at_us` after the first one."""

    at_us: int
    event: Event


class Recording(Protocol):
    """A file that can be read again from its start."""

    rules: Listing
    first_id: int
    # exchange time of the first event, and the first trade's own time, in epoch us
    start_us: int
    first_trade_us: int
    # the book at its start as one absolute change, where the recording has one
    snapshot: BookChange | None
    has_depth: bool
    # the first update of its book
    first_update_id: int
    has_best: bool

    def events(self) -> Iterator[Timed]:
        """Raises ValueError with file and line for what cannot be read."""
        ...


class Shift(NamedTuple):
    """What the present round adds to the recording's ids and times (us)."""

    time: int
    updates: int = 0
    agg_ids: int = 0


class Replayed:
    """A recording as a source, at `speed` times its own pace (0: as fast as it goes)."""

    def __init__(
        self, recording: Recording, speed: float, now_us: int, *, is_looped: bool = False
    ) -> None:
        self.recording = recording
        self.first_id = recording.first_id
        self.is_ended = False
        self._speed = speed
        self._is_looped = is_looped
        # Whole minutes, so that the first round keeps the recording's minutes.
        self._shift = Shift((now_us - recording.first_trade_us) // MINUTE_US * MINUTE_US)
        self._events = recording.events()
        self._waiting: Timed | None = None
        self._started: int | None = None
        self.round = 0
        self._newest = recording.start_us + self._shift.time
        self._agg_ids = (0, 0)  # the recording's first one, the newest told
        self.book = _opening_book(recording)
        self._makers = Makers(self.book, recording.rules, random.Random(1))
        self._book_due = 0
        self._best_told = 0

    def time(self, now_us: int) -> int:
        if not self._speed or self._started is None or self.is_ended:
            return self._newest
        start = self.recording.start_us + self._shift.time
        return start + int((now_us - self._started) * self._speed)

    def advance(self, now_us: int) -> list[Event]:
        if self._started is None:
            self._started = now_us
        events: list[Event] = []
        for _ in range(AT_ONCE):
            timed = self._waiting or self._read()
            if timed is None:
                if not self._is_looped or self.is_ended:
                    break
                events += self._begin_again(now_us)
                continue
            self._waiting = timed
            if self._speed and timed.at_us > (now_us - self._started) * self._speed:
                break
            self._waiting = None
            self._newest = max(
                self._newest, self.recording.start_us + self._shift.time + timed.at_us
            )
            events += self._play(timed.event)
        if not self.recording.has_depth:
            events += self._made_up_change(now_us)
        return events

    def _read(self) -> Timed | None:
        if self.is_ended:
            return None
        try:
            timed = next(self._events, None)
        except UNREADABLE as error:
            sys.stderr.write(f"simulator: {error}; the replay ends here\n")
            self.is_ended = True
            return None
        if timed is None and not self._is_looped:
            self.is_ended = True
        return timed

    def _play(self, event: Event) -> list[Event]:
        time = self._shift.time
        if isinstance(event, Row):
            agg_id = event.agg_id + self._shift.agg_ids if event.agg_id else 0
            self._agg_ids = (self._agg_ids[0] or event.agg_id, agg_id)
            row = event._replace(
                time=event.time + time,
                agg_id=agg_id,
                event_time=event.event_time + time if event.event_time else 0,
            )
            return [row] if self.recording.has_depth else [row, *self._follow(row)]
        if isinstance(event, Best):
            best = event._replace(
                update_id=event.update_id + self._shift.updates,
                event_time=event.event_time + time if event.event_time else 0,
            )
            if best.update_id < self._best_told:
                return []  # a later round begins a little before its bridge
            self._best_told = best.update_id
            if not self.recording.has_depth:
                self._makers.quote(best.bid, best.ask)
            return [best]
        if isinstance(event, BookChange):
            return self._change(event)
        if isinstance(event, Hole) and event.agg_id:
            return [event._replace(agg_id=event.agg_id + self._shift.agg_ids)]
        if isinstance(event, Mark):
            return [event._replace(next_funding=event.next_funding + time)]
        return [event]

    def _change(self, recorded: BookChange) -> list[Event]:
        updates, time = self._shift.updates, self._shift.time
        first, last = recorded.first_id + updates, recorded.last_id + updates
        if self.round:  # the first round tells all, later ones what goes on from their bridge
            if last <= self.book.update_id:
                return []
            first = self.book.update_id + 1
        change = BookChange(
            first,
            last,
            recorded.bids,
            recorded.asks,
            recorded.event_time + time,
            recorded.time + time if recorded.time else 0,
            first - 1 if self.round else recorded.previous_id,
        )
        before = self.book.best()
        self.book.apply(change)
        best = self.book.best()
        if self.recording.has_best or best == before:
            return [change]
        return [change, Best(change.last_id, *best, change.event_time)]

    def _begin_again(self, now_us: int) -> list[Event]:
        """Ids go on, times go on from now, and one change turns the book into its first state."""
        now = self.time(now_us)
        self.round += 1
        self._events = self.recording.events()
        self._started = now_us
        self._newest = now
        shift = (now - self.recording.start_us) // 1000 * 1000
        bridge = self._bridge(now)
        start = self.recording.snapshot.last_id if self.recording.snapshot else 0
        updates = self.book.update_id - start if self.recording.has_depth else 0
        first, last = self._agg_ids
        self._shift = Shift(shift, updates, last + 1 - first)
        return bridge

    def _bridge(self, now: int) -> list[Event]:
        if not self.recording.has_depth:
            return []
        target = self.recording.snapshot
        bids = dict.fromkeys(self.book.bids.prices, 0) | (target.bids if target else {})
        asks = dict.fromkeys(self.book.asks.prices, 0) | (target.asks if target else {})
        update_id = self.book.update_id + 1
        change = BookChange(update_id, update_id, bids, asks, now, now, update_id - 1)
        self.book.apply(change)
        self._best_told = update_id
        return [change]

    def _follow(self, row: Row) -> list[Event]:
        """Without a recorded book one is made up around the last trade."""
        if self.recording.has_best or not row.price:
            return []
        tick = self.recording.rules.tick
        bid = row.price if row.is_buyer_maker else max(tick, row.price - tick)
        before = self.book.best()
        self._makers.quote(bid, bid + tick)
        best = self.book.best()
        return [] if best == before else [Best(self.book.update_id, *best)]

    def _made_up_change(self, now_us: int) -> list[Event]:
        if now_us < self._book_due:
            return []
        self._book_due = now_us + BOOK_EVERY_US
        change = self.book.take_change(self.time(now_us))
        return [] if change is None else [change]


def _opening_book(recording: Recording) -> Book:
    snapshot = recording.snapshot
    if snapshot is None:
        return Book(recording.first_update_id - 1) if recording.has_depth else Book()
    book = Book(snapshot.last_id)
    for price, size in snapshot.bids.items():
        book.bids.set(price, size)
    for price, size in snapshot.asks.items():
        book.asks.set(price, size)
    return book
