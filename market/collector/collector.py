"""The long-running job: keeps the tapes of one share, from the socket to Redis and PostgreSQL.

One event loop in one thread. Frames land in inboxes; one task flushes them (first change at once,
then at most 20 times a second); one saves 1 s bars to PostgreSQL; one rebuilds open gaps; one looks
after the lease and after which instruments are followed.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import msgspec
import redis.asyncio as redis
import structlog
from django.db import Error as DatabaseError

from lib.decimals import scaled
from market.archive import bans, troubles
from market.archive.troubles import News
from market.binance.connection import Sink
from market.binance.errors import ExchangeError
from market.binance.frames import as_trade, decode_agg_trade, decode_book_ticker, decode_trade
from market.binance.pool import StreamPool
from market.binance.routes import addresses, books_route
from market.collector import board
from market.collector.audit import take_kline
from market.collector.board import BoardKeeper
from market.collector.care import Care, is_away
from market.collector.chores import Chores
from market.collector.filler import fill
from market.collector.opening import open_tape
from market.collector.tapes import Outside, Tape
from market.collector.watch import Watch, begin
from market.collector.writer import KEPT_LIMIT
from market.flow.sequence import Hole
from market.hot import keys
from market.hot.scripts import Write
from market.instruments import Followed, InstrumentKey
from market.jobs import lease
from market.jobs.database import DatabaseThread
from market.models import Trouble

log = structlog.get_logger(__name__)

FLUSH_PAUSE = 0.05
HEARTBEAT_SECONDS = 1.0
SAVE_SECONDS = 4.0
FOLLOW_SECONDS = 2.0
REBUILD_PAUSE = 1.0
TRIM_SECONDS = 30.0
AUDIT_SECONDS = 2.0
BAN_SECONDS = 10.0
CLOCK_SECONDS, CLOCK_RETRY_SECONDS = 600.0, 10.0
# Trades without a word of best prices for so long: their stream is silent.
BEST_SECONDS = 10.0
REORDER_SECONDS = 0.1
# A hole that is not filled within this time no longer holds newer trades back.
HOLE_SECONDS = 2.0
# A new tape without an answer from REST begins with what the stream brought.
BEGIN_SECONDS = 3.0
REDIS_AWAY_PAUSE = 0.5
# What is tried, as pauses and troubles name it.
FLUSH, START = "collecting", "beginning"


class Collector:
    def __init__(self, share: str, holder: str, outside: Outside) -> None:
        self.share = share
        self.holder = holder
        self.tapes: dict[InstrumentKey, Tape] = {}
        self.stop = asyncio.Event()
        self.frames = 0
        self.outside = outside
        self.database = DatabaseThread()
        self._wake = asyncio.Event()
        elsewhere = addresses(outside.market, outside.data_stream_url)
        self.pools = {
            route: StreamPool(
                address,
                self._on_connected,
                outside.times,
                elsewhere[route] if outside.data_stream_url else "",
            )
            for route, address in addresses(outside.market, outside.stream_url).items()
        }
        # trades, candles and tickers on one kind of connection; books maybe on another
        self.streams = self.pools["market"]
        self.books = self.pools[books_route(outside.market)]
        self.care = Care()
        self.watch = Watch(outside.rest, self.streams, self._background, self._wake, self.care)
        self.chores = Chores(self.tapes, outside, self.database, self.care)
        self.boards = BoardKeeper(
            outside.hot.client, outside.rest, holder, self._background, self._hear_book_again
        )
        self.malformed = 0
        self._last_beat = 0.0
        self._clock_until = 0.0
        self._needs_load: set[InstrumentKey] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Collect until `stop` is set or the lease is lost; saves what it has before it returns."""
        await self.outside.hot.load_script()
        self.outside.rest.governor.on_ban = self._remember_ban
        with contextlib.suppress(DatabaseError, redis.RedisError):
            await self.restore_ban_once()
        await self.follow_once()
        loops = [
            *(pool.run(self.stop) for pool in self.pools.values()),
            self._flush_loop(),
            self._every(SAVE_SECONDS, self.chores.save_once),
            self._every(SAVE_SECONDS, self.chores.save_marks_once),
            self._every(SAVE_SECONDS, self.chores.tell_troubles_once),
            self._every(board.PAUSE_SECONDS, self.show_boards_once),
            self._every(REBUILD_PAUSE, self.chores.rebuild_once, may_cancel=True),
            self._every(SAVE_SECONDS, self.chores.reach_back_once, may_cancel=True),
            self._every(AUDIT_SECONDS, self.chores.audit_once, may_cancel=True),
            self._every(TRIM_SECONDS, self.chores.trim_once),
            self._every(FOLLOW_SECONDS, self.follow_once),
            self._every(lease.RENEW_SECONDS, self.renew_once),
            self._every(BAN_SECONDS, self.restore_ban_once),
            self._every(CLOCK_RETRY_SECONDS, self.measure_clock_once),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for loop in loops:
                    group.create_task(loop)
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            # whatever they hold is given back before its owner closes
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.outside.rest.close()
            self.database.close()

    # --- frames in ------------------------------------------------------------------------------

    def _take_trade(self, tape: Tape, frame: bytes) -> None:
        try:
            is_aggregated = tape.followed.key.is_aggregated
            payload = decode_agg_trade(frame).data if is_aggregated else decode_trade(frame).data
            trade = as_trade(payload)
        except (msgspec.DecodeError, ValueError) as error:
            self.malformed += 1
            log.warning("malformed trade", tape=str(tape.followed.key), error=str(error))
            return
        self.frames += 1
        if tape.is_parked:  # its ids are asked for again
            return
        inbox = tape.writer.inbox
        if len(inbox) < KEPT_LIMIT:  # beyond that ids are fetched again
            inbox.append(trade)
        self.watch.hear(tape, payload.event_time)
        self._wake.set()

    @staticmethod
    def _take_best(tape: Tape, frame: bytes) -> None:
        tape.best_at = time.monotonic()
        tape.best = frame  # only the newest matters; decoded when a bar is written

    def _on_connected(self, names: Iterable[bytes]) -> None:
        connected = set(names)
        for tape in self.tapes.values():
            if tape.streams.trades in connected:
                self.watch.unverify(tape)
            if tape.streams.depth in connected:
                tape.board.forget_book()

    # --- flushing -------------------------------------------------------------------------------

    async def _flush_loop(self) -> None:
        while not self.stop.is_set():
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.flush_once()
            except (redis.RedisError, OSError, DatabaseError) as error:
                log.warning("flush failed", error=type(error).__name__)
                self._needs_load.update(self.tapes)
                for tape in self.tapes.values():
                    tape.writer.forget_kept()
                await asyncio.sleep(REDIS_AWAY_PAUSE)
            await asyncio.sleep(FLUSH_PAUSE)
        await self._last_flush()

    async def flush_once(self) -> None:
        """Apply what arrived and write what changed, all tapes in one round trip."""
        self.watch.read_clock()
        beat = time.monotonic() - self._last_beat >= HEARTBEAT_SECONDS
        dirty: list[Tape] = []
        for key, tape in list(self.tapes.items()):
            if self.tapes.get(key) is not tape:
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
        self.watch.cover(tape)

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
        asked = [(tape.followed.key, write) for tape, write in writes]
        answers = await self.outside.hot.write_each(asked)
        for (tape, _), applied in zip(writes, answers, strict=True):
            if applied is True:
                tape.writer.confirmed()
                self.care.succeeded(tape, FLUSH)
            elif applied is False:
                self._needs_load.add(tape.followed.key)
                self._wake.set()
            else:
                self._park_or_raise(tape, applied)

    def _park_or_raise(self, tape: Tape, error: Exception) -> None:
        """Nothing is collected of a tape that cannot be worked with until it is tried again; the
        gap that this leaves is filled by ids. Raises what says that a store is away."""
        if is_away(error):
            raise error
        self.care.failed(tape, FLUSH, error)
        seconds = self.care.pauses.left((FLUSH, tape.followed.id))
        tape.parked_until = time.monotonic() + seconds
        tape.writer.forget_arrived()

    def _look_after_beginning(self, tape: Tape) -> None:
        """The first frames of a new tape may be lost, so REST is asked what was before them."""
        if tape.writer.has_begun or not tape.writer.inbox:
            return
        now = time.monotonic()
        tape.hole_since = tape.hole_since or now
        self._wake.set()
        if now - tape.hole_since > BEGIN_SECONDS:
            begin(tape, [])
        elif tape.filling is None or tape.filling.done():
            tape.filling = self._background(self.watch.catch_up(tape))

    async def _look_after_hole(self, tape: Tape) -> None:
        """Wait a moment for reordering, then ask REST, then let live go on with an open gap."""
        hole = tape.writer.cursor.hole()
        now = time.monotonic()
        if hole is None:
            tape.hole_at = -1
            return
        if tape.hole_at != hole.first_id:
            tape.hole_at, tape.hole_since = hole.first_id, now
        self._wake.set()
        waited = now - tape.hole_since
        is_asked = tape.filling is not None and not tape.filling.done()
        if self.watch.is_doubtful(tape, hole):
            if not is_asked:
                tape.filling = self._background(self.watch.settle_doubt(tape, hole))
        elif waited > HOLE_SECONDS:
            await tape.writer.open_gap("not filled in time")
        elif waited > REORDER_SECONDS and not is_asked:
            tape.filling = self._background(self._fill(tape, hole))

    async def _fill(self, tape: Tape, hole: Hole) -> None:
        symbol = tape.followed.key.symbol
        async for found in fill(self.outside.rest, symbol, hole, HOLE_SECONDS):
            tape.writer.inbox += found.trades
            tape.writer.unfillable += found.unfillable
            self._wake.set()
            if (tape.writer.cursor.last_id or 0) >= hole.last_id:
                return

    async def _look_for_viewers(self) -> None:
        tapes = list(self.tapes.values())
        names = [
            keys.topic(key.venue, topic)
            for key in (tape.followed.key for tape in tapes)
            for topic in (keys.flow_topic(key, "1s"), keys.board_topic(key, "book"))
        ]
        if names:
            counts = await self.outside.hot.client.pubsub_numsub(*names)
            for index, tape in enumerate(tapes):
                tape.writer.has_second_viewers = counts[2 * index][1] > 0
                tape.board.has_viewers = counts[2 * index + 1][1] > 0

    def _hear_book_again(self, key: InstrumentKey) -> None:
        tape = self.tapes.get(key)
        if tape is not None:
            self.books.subscribe_again([tape.streams.depth])

    def _read_best(self, tape: Tape) -> None:
        if not tape.best:
            return
        frame, tape.best = tape.best, b""
        try:
            book = decode_book_ticker(frame).data
            tape.writer.best = (scaled(book.bid), scaled(book.ask))
        except (msgspec.DecodeError, ValueError) as error:
            log.warning("malformed book ticker", error=str(error))

    # --- beside the flow ------------------------------------------------------------------------

    async def show_boards_once(self) -> None:
        """Books, tickers and marks that changed."""
        for tape in self.tapes.values():
            tape.board.is_heard = self.books.is_heard(tape.streams.depth)
            # best prices that are told no more would be written into every bar that follows
            is_old = tape.heard_at - tape.best_at > BEST_SECONDS
            if tape.writer.best[0] and (is_old or not tape.board.is_heard):
                tape.writer.best = (0, 0)
        await self.boards.show([tape.board for tape in self.tapes.values()])

    async def follow_once(self) -> None:
        """Start tapes that are followed since, end those that are no longer."""
        followed = {
            item.key: item
            for item in await self.database.run(self.outside.find_members, set(self.tapes))
        }
        gone = [key for key in self.tapes if key not in followed]
        if gone:
            await self.chores.save_once()  # whoever takes them over finds everything in its place
        for key in gone:
            names = self.tapes.pop(key).streams
            for pool in self.pools.values():
                pool.unsubscribe(names)
        for key, item in followed.items():
            if key not in self.tapes:
                await self._start_or_tell(item)
            else:
                self.tapes[key].followed = item  # its `since` may be new
        if not self.tapes and self.outside.ends_empty:
            log.info("share is empty", share=self.share)
            self.stop.set()

    async def _start_or_tell(self, item: Followed) -> None:
        if self.care.pauses.is_paused((START, item.id)):
            return
        try:
            await self._start(item)
        except Exception as error:  # noqa: BLE001  (one ill tape stops no other)
            if is_away(error):
                raise
            log.exception("tape does not begin", tape=str(item.key))
            self.care.pauses.failed((START, item.id), error)
            text = f"{START}: {type(error).__name__}: {error}"
            await self.database.run(
                troubles.keep, [News(item.id, Trouble.Kind.PARKED, START, text)]
            )

    async def _start(self, item: Followed) -> None:
        tape = await open_tape(item, self.outside, self.database)
        self.tapes[item.key] = tape
        self.care.pauses.succeeded((START, item.id))
        self.care.begin(tape)
        names = tape.streams
        sinks: dict[bytes, Sink] = {
            names.trades: partial(self._take_trade, tape),
            names.kline: partial(take_kline, tape),
            names.ticker: tape.board.take_ticker,
            names.mark: tape.board.take_mark,
        }
        books: dict[bytes, Sink] = {
            names.best: partial(self._take_best, tape),
            names.depth: tape.board.take_depth,
        }
        sinks.pop(b"", None)  # spot has no mark
        if self.books is self.streams:
            sinks |= books
        else:
            self.books.subscribe(books)
        self.streams.subscribe(sinks)
        if self.streams.is_heard(names.trades):
            self._background(self.watch.catch_up(tape))

    async def renew_once(self) -> None:
        is_connected = all(pool.is_connected for pool in self.pools.values())
        state = "connected" if is_connected else "reconnecting"
        if not await self.database.run(lease.renew, self.share, self.holder, state):
            log.warning("lease lost", share=self.share)
            self.stop.set()

    async def restore_ban_once(self) -> None:
        """A ban that PostgreSQL remembers holds, whatever became of Redis."""
        governor = self.outside.rest.governor
        seconds = await self.database.run(bans.seconds_left, governor.limit.host)
        if seconds > 0:
            await governor.forbid(seconds)

    async def measure_clock_once(self) -> None:
        if time.monotonic() < self._clock_until:
            return
        asked = time.time()
        offset = await self.outside.rest.measure_clock()
        self._clock_until = time.monotonic() + CLOCK_SECONDS
        self.watch.learn_clock(offset - (time.time() - asked) * 500)
        if abs(offset) > 1000:
            log.warning("clocks differ", exchange_minus_ours_ms=round(offset))

    async def _remember_ban(self, seconds: float, reason: str) -> None:
        log.error("banned by the exchange", seconds=round(seconds), reason=reason)
        host = self.outside.rest.governor.limit.host
        try:
            await self.database.run(bans.remember, host, seconds, reason)
        except DatabaseError as error:
            log.warning("ban not saved", error=type(error).__name__)

    async def _last_flush(self) -> None:
        try:
            await self.flush_once()
            await self.chores.save_once()
        except (redis.RedisError, OSError, DatabaseError) as error:
            log.warning("last flush failed", error=type(error).__name__)

    async def _every(
        self, seconds: float, step: Callable[[], Awaitable[None]], *, may_cancel: bool = False
    ) -> None:
        """Do one step, sleep, until `stop`; a store that is away is no reason to end."""
        while not self.stop.is_set():
            try:
                if may_cancel:
                    await self._until_stopped(step())
                else:
                    await step()
            except (ExchangeError, DatabaseError, redis.RedisError, OSError) as error:
                log.warning("step failed", step=step.__name__, error=str(error)[:200])
            except Exception:  # noqa: BLE001  (no defect beside the flow may end it)
                log.exception("step broke", step=step.__name__)
            try:
                async with asyncio.timeout(seconds):
                    await self.stop.wait()
            except TimeoutError:
                pass

    async def _until_stopped(self, work: Awaitable[None]) -> None:
        """Long work that goes on from where it was ends at once when we are told to stop."""
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            task.cancel()
            await asyncio.wait({task})
        await asyncio.gather(task, return_exceptions=self.stop.is_set())

    def _background(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
