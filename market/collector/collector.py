"""The long-running job: keeps the tapes of one share, from the socket to Redis and PostgreSQL.

One event loop in one thread. Frames land in inboxes; one task flushes them (first change at once,
then at most 20 times a second); one saves 1 s bars to PostgreSQL; one rebuilds open gaps; one looks
after the lease and after which instruments are followed.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from functools import partial

import msgspec
import redis.asyncio as redis
import structlog
from django.db import Error as DatabaseError

from market.archive import bans, troubles
from market.archive.troubles import News
from market.binance.connection import Sink
from market.binance.conversions import as_trade
from market.binance.frames import decode_agg_trade, decode_trade
from market.binance.pool import StreamPool
from market.binance.routes import addresses, books_route
from market.collector import board
from market.collector.audit import take_kline
from market.collector.board import BoardKeeper
from market.collector.care import Care, is_away
from market.collector.chores import Chores
from market.collector.flushing import Flusher
from market.collector.loops import Loops
from market.collector.opening import open_tape
from market.collector.tapes import Outside, Tape
from market.collector.watch import Watch
from market.collector.writer import KEPT_LIMIT
from market.instruments import Followed, InstrumentKey
from market.jobs import lease
from market.jobs.database import DatabaseThread
from market.models import Trouble

log = structlog.get_logger(__name__)

SAVE_SECONDS = 4.0
FOLLOW_SECONDS = 2.0
REBUILD_PAUSE = 1.0
TRIM_SECONDS = 30.0
AUDIT_SECONDS = 2.0
BAN_SECONDS = 10.0
CLOCK_SECONDS, CLOCK_RETRY_SECONDS = 600.0, 10.0
# Trades without a word of best prices for so long: their stream is silent.
BEST_SECONDS = 10.0
# What is tried, as pauses and troubles name it.
START = "beginning"


class Collector:
    def __init__(self, share: str, holder: str, outside: Outside) -> None:
        self.share = share
        self.holder = holder
        self.tapes: dict[InstrumentKey, Tape] = {}
        self.loops = Loops()
        self.stop = self.loops.stop
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
        self.watch = Watch(outside.rest, self.streams, self.loops.begin, self._wake, self.care)
        self.chores = Chores(self.tapes, outside, self.database, self.care)
        self.boards = BoardKeeper(
            outside.hot.client, outside.rest, holder, self.loops.begin, self._hear_book_again
        )
        self.malformed = 0
        self.flusher = Flusher(self.tapes, outside, self.watch, self.care, self.loops, self._wake)
        self._clock_until = 0.0

    async def run(self) -> None:
        """Collect until `stop` is set or the lease is lost; saves what it has before it returns."""
        await self.outside.hot.load_script()
        self.outside.rest.governor.on_ban = self._remember_ban
        with contextlib.suppress(DatabaseError, redis.RedisError):
            await self.restore_ban_once()
        await self.follow_once()
        loops = [
            *(pool.run(self.stop) for pool in self.pools.values()),
            self._collect(),
            self.loops.every(SAVE_SECONDS, self.chores.save_once),
            self.loops.every(SAVE_SECONDS, self.chores.save_marks_once),
            self.loops.every(SAVE_SECONDS, self.chores.tell_troubles_once),
            self.loops.every(board.PAUSE_SECONDS, self.show_boards_once),
            self.loops.every(REBUILD_PAUSE, self.chores.rebuild_once, may_cancel=True),
            self.loops.every(SAVE_SECONDS, self.chores.reach_back_once, may_cancel=True),
            self.loops.every(AUDIT_SECONDS, self.chores.audit_once, may_cancel=True),
            self.loops.every(TRIM_SECONDS, self.chores.trim_once),
            self.loops.every(FOLLOW_SECONDS, self.follow_once),
            self.loops.every(lease.RENEW_SECONDS, self.renew_once),
            self.loops.every(BAN_SECONDS, self.restore_ban_once),
            self.loops.every(CLOCK_RETRY_SECONDS, self.measure_clock_once),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for loop in loops:
                    group.create_task(loop)
        finally:
            await self.loops.finish()
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

    def _hear_book_again(self, key: InstrumentKey) -> None:
        tape = self.tapes.get(key)
        if tape is not None:
            self.books.subscribe_again([tape.streams.depth])

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
            self.loops.begin(self.watch.catch_up(tape))

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
        sent_at = time.time()
        offset = await self.outside.rest.measure_clock()
        self._clock_until = time.monotonic() + CLOCK_SECONDS
        self.watch.learn_clock(offset - (time.time() - sent_at) * 500)
        if abs(offset) > 1000:
            log.warning("clocks differ", exchange_minus_ours_ms=round(offset))

    async def _remember_ban(self, seconds: float, reason: str) -> None:
        log.error("banned by the exchange", seconds=round(seconds), reason=reason)
        host = self.outside.rest.governor.limit.host
        try:
            await self.database.run(bans.remember, host, seconds, reason)
        except DatabaseError as error:
            log.warning("ban not saved", error=type(error).__name__)

    async def _collect(self) -> None:
        """Until told to stop; what is in memory then is written and saved."""
        await self.flusher.run()
        try:
            await self.flusher.flush_once()
            await self.chores.save_once()
        except (redis.RedisError, OSError, DatabaseError) as error:
            log.warning("last flush failed", error=type(error).__name__)
