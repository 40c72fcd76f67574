"""One tape's writer: trades in, bars in memory, one compare-and-set write a flush.

Everything here runs in the collector's one flushing task, so nothing changes between the making of
a write and its confirmation.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog
from msgspec import structs

from market.collector.minutes import Minutes
from market.collector.telling import Standing, bar_messages, order_message, order_record
from market.collector.unsaved import Unsaved
from market.flow.bands import BandSet
from market.flow.bars import Bar, newer_of
from market.flow.sequence import Cursor
from market.flow.tape import MinuteNotHeld, TapeBuilder
from market.flow.ticks import in_unit, is_micro, ms_of
from market.flow.trades import Trade
from market.hot.codec import BigOrderRecord, GapRecord, State, encode_order, gap_text
from market.hot.scripts import Write, flat
from market.hot.store import HotStore, bar_write
from market.instruments import InstrumentKey

log = structlog.get_logger(__name__)

MINUTES_HELD = 3
BIG_ORDERS_A_WRITE = 500
KEPT_LIMIT = 200_000
# Minutes older than this may have lost their 1 s bars in Redis to the time limit.
SURELY_HOT_SECONDS = 3600

LoadState = Callable[[], Awaitable[State | None]]
LoadSeconds = Callable[[int, int], Awaitable[dict[int, Bar]]]
LoadGaps = Callable[[], Awaitable[list[GapRecord]]]
LoadNewest = Callable[[], Awaitable[int | None]]


async def _no_gaps() -> list[GapRecord]:
    return []


async def _nothing() -> None:
    return None


class TapeWriter:
    """`inbox` takes trades in any order; `step` turns them into bars, `write` into one write.

    `load_saved_state` and `load_saved_seconds` ask PostgreSQL; they may raise.
    """

    def __init__(
        self,
        tape: InstrumentKey,
        bands: BandSet,
        hot: HotStore,
        load_saved_state: LoadState,
        load_saved_seconds: LoadSeconds,
        load_saved_gaps: LoadGaps = _no_gaps,
        load_saved_newest: LoadNewest = _nothing,
    ) -> None:
        self.tape = tape
        self.bands = bands
        self.inbox: list[Trade] = []
        self.unfillable: list[tuple[int, int]] = []
        self.cursor = Cursor()
        self.builder = self._new_builder()
        self.unsaved = Unsaved()
        self.best: tuple[int, int] = (0, 0)
        self.price = 0
        self.covered_from = self.covered_to = 0
        self.refused = 0
        # 1 s states are many and seldom watched: they are encoded only for somebody
        self.has_second_viewers = False
        self.conflicts = 0
        self._hot = hot
        self._load_saved_state = load_saved_state
        self._load_saved_seconds = load_saved_seconds
        self._load_saved_gaps = load_saved_gaps
        self._load_saved_newest = load_saved_newest
        # asked for from outside; done by the next step, so that no flush is under way
        self._anew: list[Trade] = []
        self._is_absence = False
        self._reach: tuple[int, GapRecord | None] | None = None
        self._expect = ("", "")
        self._hot_from = 0
        self._newest = 0
        self.last_trade_ms = 0
        self._kept: list[Trade] = []
        self._gaps: dict[int, GapRecord] = {}
        self._minutes = Minutes()
        self._announced = 0

    def _new_builder(self) -> TapeBuilder:
        return TapeBuilder(self.bands, detail=self.tape.detail)

    # --- where the tape stands ------------------------------------------------------------------

    @property
    def has_begun(self) -> bool:
        return self.cursor.last_id is not None

    @property
    def is_dirty(self) -> bool:
        """Whether a flush has something to say."""
        return bool(self.builder.changed or self._gaps) or (
            self.has_begun and str(self.cursor.last_id) != self._expect[0]
        )

    async def load(self) -> None:
        """Start from what stands in Redis, else in PostgreSQL, else from nothing; trades applied
        since the last confirmed flush go through the cursor again."""
        state = await self._hot.state(self.tape)
        self._expect = ("", "")
        if state is not None:
            self._expect = (str(state.last_id), str(state.revision))
        else:
            self.unsaved = Unsaved()  # PostgreSQL decides now; nothing of ours may follow
            state = await self._load_saved_state()
        self._reset(state)
        if state is None:
            return
        if self._expect == ("", ""):
            await self._put_back(state)
            return
        since = await self._unsure_from()
        self.unsaved.bars.update(await self._hot.bars(self.tape, "1s", since, 2**40))
        for gap in await self._hot.gaps(self.tape):
            self.unsaved.gaps.setdefault(gap.first_id, gap)
        self.unsaved.state = state

    async def reload(self) -> None:
        """Another writer was first, or a reply was lost."""
        self.conflicts += 1
        await self.load()

    def begin(self, trades: list[Trade]) -> None:
        """Give a new tape its beginning: the oldest of these trades."""
        oldest = min(trades, key=lambda trade: trade.id)
        self.cursor.move(oldest.id - 1)
        if not is_micro(oldest.time):
            self.builder.ticks = 1000
        # trades of the same millisecond with smaller ids were not seen
        self.covered_from = ms_of(oldest.time) + 1
        self.inbox = [*trades, *self.inbox]
        log.info("tape begins", tape=str(self.tape), first_id=oldest.id)

    def begin_anew(self, trades: list[Trade]) -> None:
        """The exchange began its ids anew (a wiped testnet): these are the new tape's oldest known
        trades. Bars stay; what was still to be filled of the old tape cannot be filled any more."""
        self._anew = trades

    def skip_absence(self, trades: list[Trade]) -> None:
        """The tape was not followed for a while: it goes on with these trades. What was missed
        before it was let go can still be filled."""
        self._anew, self._is_absence = trades, True

    def reach_back(self, since_ms: int, gap: GapRecord | None) -> None:
        """The tape shall begin at `since_ms`; what lies between is a gap."""
        self._reach = (since_ms, gap)

    async def _do_what_was_asked(self) -> None:
        if self._anew:
            old_id, trades, self._anew = self.cursor.last_id, self._anew, []
            was_absent, self._is_absence = self._is_absence, False
            for gap in await self._hot.gaps(self.tape):
                if gap.state == "open" and not was_absent:
                    ended = structs.replace(
                        gap, state="unfillable", cause="the exchange began anew"
                    )
                    self._gaps[gap.first_id] = ended
            self.cursor = Cursor()
            self.builder.break_sweep()
            self.builder.revision += 1
            self.begin(trades)
            if was_absent:
                log.info("tape goes on", tape=str(self.tape), last_id=old_id)
            else:
                log.error("the exchange began a new tape", tape=str(self.tape), last_id=old_id)
        if self._reach is not None:
            (self.covered_from, before), self._reach = self._reach, None
            if before is not None:
                self._gaps[before.first_id] = before

    def refuse_after(self, trade_id: int) -> None:
        """Ids that the exchange is nowhere near: whatever sent them, they are no trades."""
        waiting = self.cursor.waiting
        refused = [waiting.pop(id) for id in list(waiting) if id > trade_id]
        self.refused += len(refused)
        log.error("implausible ids refused", tape=str(self.tape), first_id=trade_id + 1)

    def _reset(self, state: State | None) -> None:
        self.inbox = self._kept + self.inbox
        self._kept = []
        self._gaps.clear()  # a hole that is still there shows itself again
        self._minutes.forget()
        self.builder = self._new_builder()
        if state is None:
            self.inbox += self.cursor.waiting.values()
            self.cursor = Cursor()
            return
        self.cursor.move(state.last_id)
        self.builder.ticks = state.ticks
        self.builder.revision = state.revision
        self.builder.sweep = state.sweep
        self.builder.newest_minute = state.newest - state.newest % 60
        self._newest, self._hot_from = state.newest, state.hot_from
        self.last_trade_ms = max(self.last_trade_ms, state.newest * 1000)
        self.covered_from = state.covered_from
        self.covered_to = state.covered_to

    async def _put_back(self, state: State) -> None:
        """Redis lost the tape: what PostgreSQL has of the newest minute is written there again."""
        minute = state.newest - state.newest % 60
        bars = await self._load_saved_seconds(minute, minute + 60)
        self.builder.hold(minute, bars)
        self.builder.changed.update(bars)
        self._hot_from = minute
        self._gaps = {gap.first_id: gap for gap in await self._load_saved_gaps()}
        log.warning("tape resumed from PostgreSQL", tape=str(self.tape), last_id=state.last_id)

    async def _unsure_from(self) -> int:
        """Since when bars in Redis may not be in PostgreSQL (another writer may have died, with
        PostgreSQL away for long before)."""
        if self.unsaved.state is not None:
            return self.unsaved.state.newest - 600
        saved = await self._load_saved_newest()
        return min(self._newest, self._newest if saved is None else saved) - 600

    # --- trades in ------------------------------------------------------------------------------

    async def step(self) -> None:
        """Apply what has arrived, as far as the ids follow one another."""
        if not self.has_begun:
            return
        await self._do_what_was_asked()
        arrived, self.inbox = self.inbox, []
        if arrived:
            await self._apply(self.cursor.offer(self._in_one_unit(arrived)))
        while self.unfillable:
            first_id, last_id = self.unfillable.pop(0)
            await self._pass_over(first_id, last_id, "not at the exchange", "unfillable")

    async def open_gap(self, cause: str) -> None:
        """Let live go on: the hole before the waiting trades is filled behind it."""
        hole = self.cursor.hole()
        if hole is not None:
            await self._pass_over(hole.first_id, hole.last_id, cause, "open")

    async def _pass_over(self, first_id: int, last_id: int, cause: str, state: str) -> None:
        cursor = self.cursor.last_id
        if cursor is None or last_id <= cursor or first_id > cursor + 1:
            return  # known by now, or something before it is still missing
        first_id = cursor + 1
        waiting = self.cursor.waiting
        to_ms = ms_of(waiting[min(waiting)].time) if waiting else self.last_trade_ms
        from_ms = self.last_trade_ms or to_ms
        gap = GapRecord(first_id, last_id, min(from_ms, to_ms), to_ms, cause, state)
        self._gaps[first_id] = gap
        self.builder.break_sweep()
        await self._apply(self.cursor.give_up(last_id))
        log.warning("gap", tape=str(self.tape), first_id=first_id, last_id=last_id, state=state)

    async def _apply(self, ready: list[Trade]) -> None:
        if not ready:
            return
        self._kept += ready
        index = 0
        while True:
            try:
                self.builder.apply(ready, index)
                break
            except MinuteNotHeld as missing:
                self.builder.hold(missing.minute, await self._load_minute(missing.minute))
                index = missing.index
        self.price = ready[-1].price or self.price
        self.last_trade_ms = max(self.last_trade_ms, ms_of(ready[-1].time))
        if self.builder.changed:
            self._newest = max(self._newest, max(self.builder.changed))

    async def _load_minute(self, minute: int) -> dict[int, Bar]:
        hot = await self._hot.bars(self.tape, "1s", minute, minute + 60)
        if minute >= self._hot_from and minute > self._newest - SURELY_HOT_SECONDS:
            return hot
        return newer_of(await self._load_saved_seconds(minute, minute + 60), hot)

    def _in_one_unit(self, trades: list[Trade]) -> list[Trade]:
        kept = in_unit(trades, self.builder.ticks)
        if len(kept) < len(trades):
            self.refused += len(trades) - len(kept)
            log.error("row in milliseconds refused", tape=str(self.tape), rows=self.refused)
        return kept

    # --- bars out -------------------------------------------------------------------------------

    def write(self) -> Write:
        """What changed since the last confirmed flush; nothing changed is a heartbeat."""
        changed = sorted(self.builder.changed)
        seconds = [self.builder.held[second - second % 60][second] for second in changed]
        if seconds and self.best[0]:
            seconds[-1].bid, seconds[-1].ask = self.best
        minutes = [self._minute(minute) for minute in sorted({s - s % 60 for s in changed})]
        writes = [bar_write(self.tape, "1s", bar) for bar in seconds]
        writes += [bar_write(self.tape, "1m", bar) for bar in minutes]
        state = {
            **self._state().fields(),
            "price": str(self.price),
            "bid": str(self.best[0]),
            "ask": str(self.best[1]),
        }
        gaps = {str(id): gap for id, gap in self._gaps.items()}
        ticks = self.builder.ticks
        orders = [order_record(big, ticks) for big in self.builder.big[-BIG_ORDERS_A_WRITE:]]
        return Write(
            expect=self._expect,
            state=flat(state),
            bars=writes,
            gaps=[word for id, gap in gaps.items() for word in (id, gap_text(gap))],
            messages=self._messages(seconds, minutes, orders),
            big=[encode_order(order).decode() for order in orders],
        )

    def confirmed(self) -> None:
        """The write stands."""
        self._expect = (str(self.cursor.last_id), str(self.builder.revision))
        for second in self.builder.changed:
            # a copy: what is saved must be of the same moment as its state
            self.unsaved.bars[second] = self.builder.held[second - second % 60][second].copy()
        self.unsaved.gaps.update(self._gaps)
        self.unsaved.state = self._state()
        self._gaps.clear()
        self.builder.changed.clear()
        self.builder.big.clear()
        self._kept.clear()
        self._announced = max(self._announced, self.covered_to // 60_000 * 60 - 60)
        self.builder.release(MINUTES_HELD)
        self._minutes.keep(self.builder.held)

    def forget_kept(self) -> None:
        """Redis is away and memory has its bounds: the ids can be asked for again."""
        if len(self._kept) + len(self.inbox) > KEPT_LIMIT:
            log.warning("trades dropped to be fetched again", tape=str(self.tape))
            self._kept.clear()
            self.inbox.clear()

    def forget_arrived(self) -> None:
        """Something in memory cannot be worked with: what is not written is asked for again."""
        self._kept.clear()
        self.inbox.clear()
        self.unfillable.clear()
        self.cursor.waiting.clear()

    def take_unsaved(self) -> tuple[list[Bar], list[GapRecord], State] | None:
        """Copies of one moment for PostgreSQL; give back what could not be saved."""
        return self.unsaved.take()

    def give_back(self, bars: Iterable[Bar], gaps: Iterable[GapRecord]) -> None:
        self.unsaved.give_back(bars, gaps)

    def _state(self) -> State:
        assert self.cursor.last_id is not None
        return State(
            last_id=self.cursor.last_id,
            revision=self.builder.revision,
            newest=self._newest,
            covered_from=self.covered_from,
            covered_to=self.covered_to,
            ticks=self.builder.ticks,
            sweep=self.builder.sweep,
            hot_from=self._hot_from,
        )

    def _minute(self, minute: int) -> Bar:
        return self._minutes.of(minute, self.builder.held[minute], self.builder.changed)

    def _ended_minutes(self) -> list[Bar]:
        """The last state of a minute that has ended, once, so that every viewer sees it closed."""
        ended = self.covered_to // 60_000 * 60 - 60
        due = [m for m, bars in self.builder.held.items() if self._announced < m <= ended and bars]
        return [self._minute(minute) for minute in sorted(due)]

    def _messages(
        self, seconds: list[Bar], minutes: list[Bar], orders: list[BigOrderRecord]
    ) -> list[tuple[str, str]]:
        standing = Standing(self.covered_from, self.covered_to, self.last_trade_ms)
        watched = seconds if self.has_second_viewers else []
        told = partial(bar_messages, self.tape, self.bands, standing=standing)
        return [
            *told("1s", watched),
            *told("1m", [*minutes, *self._ended_minutes()]),
            *(order_message(self.tape, order) for order in orders),
        ]
