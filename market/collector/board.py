"""What is shown beside a tape: its order book, the last 24 hours, and on futures the mark price.

Nothing here is part of the record: the newest state goes to Redis at most 10 times a second, with
a time limit, so that what a dead collector said last is soon gone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import redis.asyncio as redis
import structlog
from redis.exceptions import NoScriptError

from market.answers import book_answer, mark_answer, ticker_answer
from market.binance.conversions import as_depth, as_mark, as_ticker
from market.binance.errors import ExchangeError, MustWait
from market.binance.frames import decode_depth, decode_mark, decode_ticker
from market.binance.rest import BOOK_DEPTH, LEAST_DEPTH, PublicRest
from market.book.keeping import BookKeeper
from market.book.levels import Mark
from market.hot import keys
from market.hot.scripts import SHOW
from market.instruments import InstrumentKey

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.1
LEVELS_SHOWN = 20
# by kind: what is told, and the time of it
News = dict[str, tuple[str, int]]
# What has not changed is said again so often, and forgotten by Redis after so long.
AGAIN_SECONDS = 2.0
KEPT_SECONDS = 10
MARKS_KEPT = 600
# Snapshots under way at once, the pause before another one of the same book, and its longest.
SNAPSHOTS_AT_ONCE = 2
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# A book that has stood for so long was a good one; one without a frame for so long is checked.
STOOD_SECONDS = 30.0
QUIET_SECONDS = 45.0
CHECK_AGAIN_SECONDS = 15.0
# How often a changing book is shown, at most: to viewers, and to Redis alone.
VIEWED_SECONDS, UNSEEN_SECONDS = 0.2, 1.0


class Board:
    """One tape's. The collector's connections feed it; `BoardKeeper` shows it."""

    def __init__(self, tape: InstrumentKey) -> None:
        self.tape = tape
        self.book = BookKeeper(BOOK_DEPTH)
        self.malformed = 0
        # what is to be shown: name -> the frame or nothing, for the book
        self.fresh: dict[str, bytes] = {}
        # the last data of each kind as shown, and when
        self.shown: dict[str, tuple[str, int, float]] = {}
        # the last mark of each minute, until it is saved
        self.marks: dict[int, Mark] = {}
        # when another snapshot may be asked for (monotonic), and how long to wait after that
        self.ask_at = 0.0
        # whether its stream stands: a book without one is nobody's
        self.is_heard = False
        # when its last frame came, when the book was begun, when it was last checked (monotonic)
        self.frame_at = self.begun_at = self.checked_at = 0.0
        self.has_viewers = False
        self.pause = FIRST_PAUSE
        self.asking: asyncio.Task[None] | None = None

    def take_depth(self, frame: bytes) -> None:
        self.frame_at = time.monotonic()
        try:
            change = as_depth(decode_depth(frame).data)
        except (msgspec.DecodeError, ValueError) as error:
            self._complain("depth", error)
            self.book.forget()  # what it said is unknown
            return
        losses = self.book.losses
        if self.book.take(change):
            self.fresh["book"] = b""
        if self.book.losses > losses:
            log.warning("book begins anew", tape=str(self.tape), losses=self.book.losses)

    def take_ticker(self, frame: bytes) -> None:
        self.fresh["ticker"] = frame

    def take_mark(self, frame: bytes) -> None:
        self.fresh["mark"] = frame

    def forget_book(self) -> None:
        """Its connection may have missed something."""
        self.book.forget()
        self.ask_at = time.monotonic() + FIRST_PAUSE / 4  # let some frames come first

    def say(self) -> News:
        """What is to be shown now: kind -> (data as JSON, exchange time in epoch ms)."""
        now = time.monotonic()
        fresh, self.fresh = self.fresh, {}
        news: News = {}
        for kind, frame in fresh.items():
            if kind == "book" and not self._is_due(now):
                self.fresh[kind] = frame  # with the next one
                continue
            try:
                text = self._data(kind, frame)
            except (msgspec.DecodeError, ValueError) as error:
                self._complain(kind, error)
                continue
            if text is not None:
                news[kind] = text
        for kind, (data, at, when) in list(self.shown.items()):
            if kind != "book":  # the others come every second, or have gone stale
                continue
            if self.book.levels is None:
                del self.shown[kind]
            elif kind not in news and now - when > AGAIN_SECONDS:
                news[kind] = (data, at)
        for kind, (data, at) in news.items():
            self.shown[kind] = (data, at, now)
        return news

    def _is_due(self, now: float) -> bool:
        """A book changes ten times a second; it is told so often to those who look at it."""
        pause = VIEWED_SECONDS if self.has_viewers else UNSEEN_SECONDS
        return now - self.shown.get("book", ("", 0, 0.0))[2] >= pause

    def take_ended_marks(self) -> dict[int, Mark]:
        """Minute (epoch s) -> its last mark, of those that have ended."""
        newest = max(self.marks, default=0)
        return {minute: self.marks.pop(minute) for minute in sorted(self.marks) if minute < newest}

    def _data(self, kind: str, frame: bytes) -> tuple[str, int] | None:
        if kind == "ticker":
            ticker = as_ticker(decode_ticker(frame).data)
            return _json(ticker_answer(ticker)), ticker.time
        if kind == "mark":
            mark = as_mark(decode_mark(frame).data)
            if len(self.marks) < MARKS_KEPT:  # PostgreSQL may be away
                self.marks[mark.time // 60_000 * 60] = mark
            return _json(mark_answer(mark)), mark.time
        levels = self.book.levels
        if levels is None:
            return None
        bids, asks = levels.bids(LEVELS_SHOWN), levels.asks(LEVELS_SHOWN)
        answer = book_answer(self.book.last_id, self.book.time, bids, asks)
        return _json(answer), self.book.time

    def _complain(self, kind: str, error: Exception) -> None:
        self.malformed += 1
        log.warning("malformed frame", kind=kind, tape=str(self.tape), error=str(error))


class BoardKeeper:
    """All boards of a collector: snapshots for books that need one, and what changed to Redis.

    Of several collectors of one tape (a standby) one shows it: whoever did last.
    """

    def __init__(
        self,
        client: redis.Redis,
        rest: PublicRest,
        holder: str,
        background: Callable[[Awaitable[None]], asyncio.Task[None]],
        resubscribe: Callable[[InstrumentKey], None],
    ) -> None:
        """`resubscribe` asks for the depth stream of a tape once more."""
        self._resubscribe = resubscribe
        self._client = client
        self._rest = rest
        self._holder = holder
        self._background = background
        self._script = client.register_script(SHOW)
        self._room = asyncio.Semaphore(SNAPSHOTS_AT_ONCE)

    async def show(self, boards: Sequence[Board]) -> None:
        """Raises RedisError."""
        told: list[tuple[InstrumentKey, News]] = []
        for board in boards:
            try:
                self._look_after_book(board)
                news = board.say()
            except Exception:  # noqa: BLE001  (one ill book hides no other)
                log.exception("board broke", tape=str(board.tape))
                board.fresh.clear()
                board.forget_book()
                continue
            if news:
                told.append((board.tape, news))
        if not told:
            return
        try:
            await self._tell(told)
        except NoScriptError:  # a Redis that was started anew knows no scripts
            await self._client.script_load(SHOW)
            await self._tell(told)

    async def _tell(self, told: Sequence[tuple[InstrumentKey, News]]) -> None:
        """One round trip: the script by its digest, which asks for nothing before."""
        async with self._client.pipeline(transaction=False) as pipe:
            for tape, news in told:
                args: list[str] = [self._holder, str(KEPT_SECONDS)]
                for kind, (data, at) in news.items():
                    topic = keys.topic(tape.venue, keys.board_topic(tape, kind))
                    args += [data, topic, f'{kind}\n"time":{at},"data":{data}}}']
                names = [keys.shown_by(tape), *(keys.board(tape, kind) for kind in news)]
                pipe.evalsha(self._script.sha, len(names), *names, *args)
            await pipe.execute()

    def _look_after_book(self, board: Board) -> None:
        levels = board.book.levels
        if not board.is_heard and levels is not None:
            board.book.forget()
        if not board.is_heard or time.monotonic() < board.ask_at:
            return
        if levels is not None and levels.is_thin(LEVELS_SHOWN):
            board.book.forget()
        if board.asking is not None and not board.asking.done():
            return
        now = time.monotonic()
        if board.book.needs_snapshot:
            board.asking = self._background(self._begin(board))
        elif now - max(board.frame_at, board.checked_at) > QUIET_SECONDS:
            board.asking = self._background(self._check(board))

    async def _begin(self, board: Board) -> None:
        if board.begun_at and time.monotonic() - board.begun_at > STOOD_SECONDS:
            board.pause = FIRST_PAUSE  # else it was lost soon: ask ever more seldom
        board.begun_at = 0.0
        is_begun = False
        async with self._room:
            try:
                is_begun = board.book.begin(await self._rest.book(board.tape.symbol))
            except MustWait as error:  # an ordinary thing while much is read
                log.debug("the book waits", tape=str(board.tape), seconds=error.seconds)
            except (ExchangeError, redis.RedisError) as error:
                log.warning("no snapshot of the book", tape=str(board.tape), error=str(error))
        board.ask_at = time.monotonic() + board.pause
        board.pause = min(2 * board.pause, LONGEST_PAUSE)
        if is_begun:
            board.fresh["book"] = b""
            board.begun_at = board.checked_at = time.monotonic()

    async def _check(self, board: Board) -> None:
        """A book without a frame for long: a quiet market, or a stream that says nothing."""
        async with self._room:
            try:
                newest = await self._rest.book(board.tape.symbol, LEAST_DEPTH)
            except (ExchangeError, redis.RedisError) as error:
                log.warning("book not checked", tape=str(board.tape), error=str(error))
                board.checked_at = time.monotonic() - QUIET_SECONDS + CHECK_AGAIN_SECONDS
                return
        board.checked_at = time.monotonic()
        is_behind = newest.last_id != board.book.last_id
        if is_behind and board.checked_at - board.frame_at > QUIET_SECONDS:
            log.warning("book stream is silent", tape=str(board.tape))
            board.book.forget()
            self._resubscribe(board.tape)


def _json(answer: object) -> str:
    return msgspec.json.encode(answer).decode()
