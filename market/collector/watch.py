"""Is each tape whole, and up to which moment of the exchange? Nothing here counts trades.

A tape is covered while trades come in one after another. When none come, REST is asked for the
newest ones: it may confirm that the market is quiet, bring trades that a cut or a silent stream
kept from us, or show that the exchange began its ids anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import redis.asyncio as redis
import structlog

from market.binance.errors import ExchangeError, Refused
from market.binance.pool import StreamPool
from market.binance.rest import PublicRest
from market.collector.care import Care
from market.collector.tapes import Tape
from market.flow.sequence import Hole
from market.flow.ticks import is_micro, ms_of
from market.flow.trades import Trade

log = structlog.get_logger(__name__)

# Without a trade for so long REST is asked whether the last frame was lost; ever more seldom.
QUIET_SECONDS = 3.0
LONGEST_CHECK_PAUSE = 15.0
# How far behind the exchange's clock we call a tape covered: frames may come out of order.
COVER_LAG_MS = 250
# A trade that REST knows for so long should have come by stream.
SILENT_MS = 1500
# A tape that trades is called covered at most so far behind the newest frame that was heard: a
# clock that jumps must not cover what has not happened yet.
CLAMP_MS = int(QUIET_SECONDS * 1000) + 1000
SUBSCRIBE_AGAIN_AT, REPLACE_AT = 2, 4
# Ids so far below the cursor, or lower ones of so much later trades, are another tape's.
FAR_IDS = 100_000
FAR_MS = 5_000
# How a question for the newest trades is named where it is refused.
CHECK = "newest trades"
# So many ids in a row are no accident.
A_RUN = 20


class Watch:
    """`background` starts work beside the flow; `wake` lets the flushing task look again."""

    def __init__(
        self,
        rest: PublicRest,
        streams: StreamPool,
        background: Callable[[Awaitable[None]], asyncio.Task[None]],
        wake: asyncio.Event,
        care: Care | None = None,
    ) -> None:
        self._rest = rest
        self._streams = streams
        self._background = background
        self._wake = wake
        self._event_time = 0
        self._newest_event_ms = 0.0
        # leaves a tape alone that REST refuses to tell of, and tells it
        self._care = care or Care()
        # the exchange's clock against our monotonic one in ms, from the event times of frames;
        # before any came, as REST told it. The monotonic one does not jump when ours is set.
        self._clock_offset_ms: float | None = None
        self._is_told_by_frames = False

    # --- time -----------------------------------------------------------------------------------

    def hear(self, tape: Tape, event_time: int) -> None:
        """A trade came by stream; `event_time` is the frame's `E`."""
        self._event_time = event_time
        tape.heard_at = time.monotonic()
        tape.silent_checks = 0

    def read_clock(self) -> None:
        if not self._event_time:
            return
        event_ms = self._event_time / 1000 if is_micro(self._event_time) else self._event_time
        self._event_time = 0
        self._newest_event_ms = event_ms
        offset = event_ms - time.monotonic() * 1000
        known = self._clock_offset_ms if self._is_told_by_frames else None
        self._is_told_by_frames = True
        if known is None or offset > known:
            self._clock_offset_ms = offset
        else:  # a slow frame says little; drift says it again and again
            self._clock_offset_ms = known + (offset - known) * 0.01

    def learn_clock(self, least_ms: float) -> None:
        """REST told how far the exchange's clock is ahead of ours, at least: a market that trades
        nothing sends no frames that would."""
        if not self._is_told_by_frames:
            self._clock_offset_ms = least_ms + (time.time() - time.monotonic()) * 1000

    def exchange_now_ms(self, at: float) -> int:
        """The exchange's clock at a moment of our monotonic one; 0 before it told its time."""
        return 0 if self._clock_offset_ms is None else int(at * 1000 + self._clock_offset_ms)

    # --- coverage -------------------------------------------------------------------------------

    def cover(self, tape: Tape) -> None:
        """Move the edge up to which the tape is whole: while trades come in one after another, and
        on a quiet tape as far as REST has confirmed that there is nothing newer."""
        writer = tape.writer
        if not writer.has_begun:
            return
        now = time.monotonic()
        if tape.seen_id != writer.cursor.last_id:
            tape.seen_id, tape.moved_at = writer.cursor.last_id or 0, now
        # frames that move nothing are no news either: the exchange may have begun anew
        quiet_for = now - min(tape.heard_at, tape.moved_at)
        is_quiet = quiet_for > QUIET_SECONDS
        longest = LONGEST_CHECK_PAUSE
        if tape.followed.key.is_aggregated:
            longest *= 4  # futures' rows weigh 20, of a budget of 2400
        pause = min(max(QUIET_SECONDS, quiet_for / 4), longest)
        pause = QUIET_SECONDS if tape.silent_checks else pause
        if not self._streams.is_heard(tape.streams.trades):
            tape.is_verified = False
        elif (
            (is_quiet or not tape.is_verified)
            and now - tape.checked_at > pause
            and not self._care.pauses.is_paused((CHECK, tape.followed.id))
            and (tape.checking is None or tape.checking.done())
        ):
            tape.checking = self._background(self.catch_up(tape, "check"))
        if writer.cursor.waiting or writer.inbox or not tape.is_verified:
            return
        until_ms = tape.verified_ms
        if not is_quiet:
            until_ms = min(self.exchange_now_ms(now), int(self._newest_event_ms) + CLAMP_MS)
        writer.covered_to = max(writer.covered_to, until_ms - COVER_LAG_MS)

    def unverify(self, tape: Tape) -> None:
        """Its connection may have missed something."""
        tape.is_verified = False
        tape.checking = self._background(self.catch_up(tape))

    async def catch_up(self, tape: Tape, kind: str = "live") -> None:
        """The newest trades by REST, so that what a cut lost shows even when nothing trades now."""
        tape.checked_at = asked_at = time.monotonic()
        try:
            rows = await self._rest.newest_trades(tape.followed.key.symbol, kind)
        except Refused as error:
            self._care.failed(tape, CHECK, error)
            return
        except (ExchangeError, redis.RedisError) as error:
            log.warning("newest trades not answered", error=str(error))
            return
        self._care.succeeded(tape, CHECK)
        self._look_for_silence(tape, rows, asked_at)
        tape.is_verified = True
        tape.verified_ms = self.exchange_now_ms(asked_at)
        if rows and not tape.writer.has_begun:
            begin(tape, last_run(rows))
        elif rows and self._is_another_tape(tape, rows[-1]):
            tape.writer.begin_anew(last_run(rows))
        else:
            tape.writer.inbox += rows
        self._wake.set()

    def is_doubtful(self, tape: Tape, hole: Hole) -> bool:
        """A hole so wide that the id behind it may be none; a run of ids speaks for itself, so that
        live goes on after hours of downtime though REST does not answer."""
        waiting = tape.writer.cursor.waiting
        is_run = len(waiting) >= A_RUN and max(waiting) - min(waiting) == len(waiting) - 1
        is_wide = hole.last_id - hole.first_id > FAR_IDS
        return is_wide and not is_run and hole.last_id > tape.trusted_to

    async def settle_doubt(self, tape: Tape, hole: Hole) -> None:
        """Ask whether the exchange is anywhere near the id behind a wide hole."""
        try:
            rows = await self._rest.newest_trades(tape.followed.key.symbol)
        except (ExchangeError, redis.RedisError) as error:
            log.warning("newest trades not answered", error=str(error))
            await asyncio.sleep(
                LONGEST_CHECK_PAUSE if isinstance(error, Refused) else QUIET_SECONDS
            )
            return
        if rows and hole.last_id > rows[-1].id + FAR_IDS:
            tape.writer.refuse_after(hole.last_id)
        else:
            tape.trusted_to = hole.last_id

    def _look_for_silence(self, tape: Tape, rows: list[Trade], asked_at: float) -> None:
        """Trades that REST has known for a while and the stream has not brought: the stream is
        subscribed again, then its connection replaced. A quiet market is no silence."""
        last_id = tape.writer.cursor.last_id
        waiting = tape.writer.cursor.waiting
        if last_id is None or not rows or not tape.is_verified:
            return
        until_ms = self.exchange_now_ms(asked_at) - SILENT_MS
        unheard = [r for r in rows if r.id > last_id and r.id not in waiting]
        # more of them than one answer holds, or one that is old
        is_silent = len(unheard) == len(rows) or (unheard and ms_of(unheard[0].time) < until_ms)
        if not is_silent or time.monotonic() - tape.heard_at < QUIET_SECONDS:
            return
        tape.silent_checks += 1
        name = tape.streams.trades
        if tape.silent_checks == SUBSCRIBE_AGAIN_AT:
            log.warning("stream is silent, subscribing again", stream=name.decode())
            self._streams.subscribe_again([name, tape.streams.kline])
        elif tape.silent_checks % REPLACE_AT == 0:
            log.warning("stream stays silent, replacing its connection", stream=name.decode())
            self._streams.replace(name)

    def _is_another_tape(self, tape: Tape, newest: Trade) -> bool:
        """Lower ids of later trades, twice, and growing: one answer alone may be of a node that
        lags, whose trades are never later than ours."""
        last_id, before = tape.writer.cursor.last_id, tape.lower
        is_lower = (
            last_id is not None
            and newest.id <= last_id
            and ms_of(newest.time) > tape.writer.last_trade_ms + FAR_MS
        )
        tape.lower = newest if is_lower else None
        return before is not None and is_lower and newest.id > before.id


def begin(tape: Tape, rows: list[Trade]) -> None:
    """A new tape begins at the oldest trade that REST or the stream has shown."""
    arrived, tape.writer.inbox = tape.writer.inbox, []
    tape.writer.begin([*rows, *arrived])


def last_run(rows: list[Trade]) -> list[Trade]:
    """The newest rows whose ids follow one another."""
    start = len(rows) - 1
    while start > 0 and rows[start - 1].id == rows[start].id - 1:
        start -= 1
    return rows[start:]
