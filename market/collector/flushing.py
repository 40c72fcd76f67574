"""The flow of a share: what has arrived of each tape becomes bars, and all tapes are written in one
round trip, at most twenty times a second."""

import asyncio
import time
from collections.abc import Sequence

import msgspec
import redis.asyncio as redis
import structlog
from django.db import Error as DatabaseError

from lib.decimals import scaled
from market.binance.frames import decode_book_ticker
from market.collector.care import Care, is_away
from market.collector.filler import fill
from market.collector.loops import Loops
from market.collector.tapes import Outside, Tape
from market.collector.watch import Watch, begin
from market.flow.sequence import Hole
from market.hot import keys, tally, timers
from market.hot.scripts import Write
from market.instruments import InstrumentKey

log = structlog.get_logger(__name__)

FLUSH_PAUSE = 0.05
HEARTBEAT_SECONDS = 1.0
REORDER_SECONDS = 0.1
# A hole that is not filled within this time no longer holds newer trades back.
HOLE_SECONDS = 2.0
# A new tape without an answer from REST begins with what the stream brought.
BEGIN_SECONDS = 3.0
REDIS_AWAY_PAUSE = 0.5
# What is tried, as pauses and troubles name it.
FLUSH = "collecting"


class Flusher:
    """`tapes` is the collector's own, which changes as tapes come and go; `wake` is set by whoever
    has something to be written."""

    def __init__(
        self,
        tapes: dict[InstrumentKey, Tape],
        outside: Outside,
        watch: Watch,
        care: Care,
        loops: Loops,
        wake: asyncio.Event,
    ) -> None:
        self._tapes = tapes
        self._outside = outside
        self._watch = watch
        self._care = care
        self._loops = loops
        self.wake = wake
        self._last_beat = 0.0
        self._needs_load: set[InstrumentKey] = set()

    async def run(self) -> None:
        """At once when something came, at least once a second, until told to stop."""
        while not self._loops.stop.is_set():
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self.wake.wait()
            except TimeoutError:
                pass
            self.wake.clear()
            try:
                await self.flush_once()
            except (redis.RedisError, OSError, DatabaseError) as error:
                log.warning("flush failed", error=type(error).__name__)
                self._needs_load.update(self._tapes)
                for tape in self._tapes.values():
                    tape.writer.forget_kept()
                await asyncio.sleep(REDIS_AWAY_PAUSE)
            await asyncio.sleep(FLUSH_PAUSE)

    async def flush_once(self) -> None:
        """Apply what arrived and write what changed, all tapes in one round trip."""
        self._watch.read_clock()
        beat = time.monotonic() - self._last_beat >= HEARTBEAT_SECONDS
        dirty: list[Tape] = []
        for key, tape in list(self._tapes.items()):
            if self._tapes.get(key) is not tape:
                continue  # let go while another one was looked after
            try:
                await self._advance(tape)
            except Exception as error:  # noqa: BLE001  (one ill tape stops no other)
                self._park_or_raise(tape, error)
                continue
            if tape.writer.is_dirty or (beat and tape.writer.has_begun):
                dirty.append(tape)
        if beat:
            self._last_beat = time.monotonic()
            await self._look_for_viewers()
        await self._write([tape for tape in dirty if not tape.is_parked])

    async def _advance(self, tape: Tape) -> None:
        """Apply what arrived of one tape and look after what is missing."""
        if tape.is_parked:
            if time.monotonic() < tape.parked_until:
                return
            tape.writer.forget_arrived()
            self._needs_load.add(tape.followed.key)
        if tape.followed.key in self._needs_load:
            await tape.writer.reload()
            self._needs_load.discard(tape.followed.key)
        if tape.is_parked:
            tape.parked_until, tape.is_verified = 0.0, False
        self._look_after_beginning(tape)
        await tape.writer.step()
        await self._look_after_hole(tape)
        self._read_best(tape)
        self._watch.cover(tape)

    async def _write(self, dirty: Sequence[Tape]) -> None:
        """What changed, all tapes in one round trip."""
        writes: list[tuple[Tape, Write]] = []
        for tape in dirty:
            try:
                writes.append((tape, tape.writer.write()))
            except Exception as error:  # noqa: BLE001  (one ill tape stops no other)
                self._park_or_raise(tape, error)
        if not writes:
            return
        named = [(tape.followed.key, write) for tape, write in writes]
        begun_at = time.perf_counter()
        answers = await self._outside.hot.write_each(named)
        # a share is of one market
        tally.observe(timers.FLUSH, time.perf_counter() - begun_at, named[0][0].market)
        for (tape, _), applied in zip(writes, answers, strict=True):
            if applied is True:
                tape.writer.confirmed()
                self._care.succeeded(tape, FLUSH)
            elif applied is False:
                self._needs_load.add(tape.followed.key)
                self.wake.set()
            else:
                self._park_or_raise(tape, applied)

    def _park_or_raise(self, tape: Tape, error: Exception) -> None:
        """Nothing is collected of a tape that cannot be worked with until it is tried again; the
        gap that this leaves is filled by ids. Raises what says that a store is away."""
        if is_away(error):
            raise error
        self._care.failed(tape, FLUSH, error)
        seconds = self._care.pauses.left((FLUSH, tape.followed.id))
        tape.parked_until = time.monotonic() + seconds
        tape.writer.forget_arrived()

    def _look_after_beginning(self, tape: Tape) -> None:
        """The first frames of a new tape may be lost, so REST is asked what was before them."""
        if tape.writer.has_begun or not tape.writer.inbox:
            return
        now = time.monotonic()
        tape.hole_since = tape.hole_since or now
        self.wake.set()
        if now - tape.hole_since > BEGIN_SECONDS:
            begin(tape, [])
        elif tape.filling is None or tape.filling.done():
            tape.filling = self._loops.begin(self._watch.catch_up(tape))

    async def _look_after_hole(self, tape: Tape) -> None:
        """Wait a moment for reordering, then ask REST, then let live go on with an open gap."""
        hole = tape.writer.cursor.hole()
        now = time.monotonic()
        if hole is None:
            tape.hole_at = -1
            return
        if tape.hole_at != hole.first_id:
            tape.hole_at, tape.hole_since = hole.first_id, now
        self.wake.set()
        waited = now - tape.hole_since
        is_filling = tape.filling is not None and not tape.filling.done()
        if self._watch.is_doubtful(tape, hole):
            if not is_filling:
                tape.filling = self._loops.begin(self._watch.settle_doubt(tape, hole))
        elif waited > HOLE_SECONDS:
            await tape.writer.open_gap("not filled in time")
        elif waited > REORDER_SECONDS and not is_filling:
            tape.filling = self._loops.begin(self._fill(tape, hole))

    async def _fill(self, tape: Tape, hole: Hole) -> None:
        symbol = tape.followed.key.symbol
        async for piece in fill(self._outside.rest, symbol, hole, HOLE_SECONDS):
            tape.writer.inbox += piece.trades
            tape.writer.unfillable += piece.unfillable
            self.wake.set()
            if (tape.writer.cursor.last_id or 0) >= hole.last_id:
                return

    async def _look_for_viewers(self) -> None:
        tapes = list(self._tapes.values())
        names = [
            keys.topic(key.venue, topic)
            for key in (tape.followed.key for tape in tapes)
            for topic in (keys.flow_topic(key, "1s"), keys.board_topic(key, "book"))
        ]
        if names:
            counts = await self._outside.hot.client.pubsub_numsub(*names)
            for index, tape in enumerate(tapes):
                tape.writer.has_second_viewers = counts[2 * index][1] > 0
                tape.board.has_viewers = counts[2 * index + 1][1] > 0

    def _read_best(self, tape: Tape) -> None:
        if not tape.best:
            return
        frame, tape.best = tape.best, b""
        try:
            book = decode_book_ticker(frame).data
            tape.writer.best = (scaled(book.bid), scaled(book.ask))
        except (msgspec.DecodeError, ValueError) as error:
            log.warning("malformed book ticker", error=str(error))
