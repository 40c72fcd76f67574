"""Every closed minute against the exchange's own candle, in every place where we keep it.

The kline stream tells each minute as it closes; a patrol by REST looks at the last hour again and
at minutes that were never told. A minute that differs is confirmed by REST, made anew from its
ids once, and compared again; if it still differs the record says so, and nobody loops.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import structlog

from market.archive import audits
from market.archive import seconds as archive
from market.binance.conversions import as_kline
from market.binance.errors import ExchangeError
from market.binance.frames import decode_kline
from market.binance.rest import PublicRest
from market.collector.rebuild import NotYet, Place, rebuild_minute
from market.collector.tapes import Tape
from market.flow.bars import Bar, roll_up
from market.flow.klines import Kline, differences, joined
from market.flow.ticks import ms_of
from market.flow.trades import Trade
from market.hot.codec import GapRecord

log = structlog.get_logger(__name__)

# After a minute's end: its last bars are in PostgreSQL by then.
SETTLED_MS = 6_000
PENDING_LIMIT = 200
PATROL_SECONDS = 300.0
PATROL_MINUTES = 60
MINUTES_A_CALL = 1000

AGREES, REBUILT, DIFFERS = "agrees", "rebuilt", "differs"


def take_kline(tape: Tape, frame: bytes) -> None:
    """A frame of `@kline_1m`: only those of closed minutes matter."""
    if b'"x":true' not in frame:
        return
    try:
        body = decode_kline(frame).data.k
        if body.is_closed and len(tape.klines) < PENDING_LIMIT:
            kline = as_kline(body)
            is_aggregated = tape.followed.key.is_aggregated
            tape.klines.append(kline.without_trades() if is_aggregated else kline)
    except (msgspec.DecodeError, ValueError) as error:
        log.warning("malformed kline", tape=str(tape.followed.key), error=str(error))


class Auditor:
    """Everything here may be tried again: it holds no state of its own but when it looked last."""

    def __init__(self, rest: PublicRest) -> None:
        self._rest = rest
        self._patrolled: dict[int, float] = {}

    async def audit_once(self, tape: Tape) -> None:
        """Compare the minutes that the stream has told and that are settled. Raises the REST
        adapter's errors when what it could compare is recorded."""
        if not tape.klines:
            return
        gaps = await tape.place.hot.gaps(tape.place.tape)
        waiting = []
        results = []
        refusal: ExchangeError | None = None
        for kline in tape.klines:
            if refusal is not None or not _is_settled(tape, kline.minute, gaps):
                waiting.append(kline)
            elif kline.minute * 1000 >= tape.writer.covered_from:
                try:
                    results.append(await self._judge(tape.place, kline))
                except NotYet as reason:
                    log.debug("audit not yet", minute=kline.minute, reason=str(reason))
                    waiting.append(kline)
                except ExchangeError as error:  # the next minute would not be answered either
                    waiting.append(kline)
                    refusal = error
        tape.klines = waiting
        await self._record(tape, results)
        if refusal is not None:
            raise refusal

    async def patrol_once(self, tape: Tape) -> None:
        """Now and then look at the last hour again, and at what was never told."""
        now = time.monotonic()
        if now - self._patrolled.get(tape.followed.id, 0.0) < PATROL_SECONDS:
            return
        self._patrolled[tape.followed.id] = now
        end = (tape.writer.covered_to - SETTLED_MS) // 60_000 * 60
        await self.look_again(tape, end - PATROL_MINUTES * 60, end)

    async def look_again(self, tape: Tape, start: int, end: int) -> int:
        """Audit the covered minutes with start <= minute < end (epoch s) by REST; returns how many
        were compared. Raises the REST adapter's errors."""
        first = -(-tape.writer.covered_from // 60_000) * 60
        start, end = max(start, first), min(end, start + MINUTES_A_CALL * 60)
        if start >= end:
            return 0
        rows = await self._rest.klines(tape.followed.key.symbol, start * 1000, end * 1000 - 1)
        stored = await tape.place.database.run(audits.known, tape.followed.id, start, end)
        seconds = await self._saved(tape.place, start, end)
        gaps = await tape.place.hot.gaps(tape.place.tape)
        results = []
        for row in rows:
            minute = row.minute
            if not _is_settled(tape, minute, gaps):
                continue
            kline = _with_ids(row, seconds.get(minute))
            if stored.get(minute) == DIFFERS:
                what = await self._differences(tape.place, kline)
                try:
                    if what and await self._agrees_around(tape.place, minute, what):
                        what = []
                except NotYet as reason:
                    log.debug("audit not yet", minute=minute, reason=str(reason))
                results.append((minute, DIFFERS if what else AGREES, ",".join(what)))
                continue
            try:
                results.append(await self._judge(tape.place, kline, is_confirmed=True))
            except NotYet as reason:
                log.debug("audit not yet", minute=minute, reason=str(reason))
        await self._record(tape, results)
        return len(results)

    # --- one minute -----------------------------------------------------------------------------

    async def _judge(
        self, place: Place, kline: Kline, *, is_confirmed: bool = False
    ) -> tuple[int, str, str]:
        what = await self._differences(place, kline)
        if not what:
            return kline.minute, AGREES, ""
        if not is_confirmed:
            opened = kline.minute * 1000
            rows = await self._rest.klines(place.tape.symbol, opened, opened)
            if not rows:
                raise NotYet("the exchange does not know the minute")
            kline = replace(rows[0], first_id=kline.first_id, last_id=kline.last_id)
            if not await self._differences(place, kline):
                return kline.minute, AGREES, ""
        if await self._agrees_around(place, kline.minute, what):
            return kline.minute, AGREES, ""
        log.error("minute differs", tape=str(place.tape), minute=kline.minute, what=what)
        kline = await self._with_true_ids(place, kline)
        if not await rebuild_minute(place, self._rest, kline):
            return kline.minute, DIFFERS, ",".join(what)
        still = await self._differences(place, kline)
        return kline.minute, DIFFERS if still else REBUILT, ",".join(still or what)

    async def _agrees_around(self, place: Place, minute: int, what: Sequence[str]) -> bool:
        """An aggregate whose trades lie on both sides of a minute's end is in one minute of ours,
        and in two of the exchange's: then it agrees together with a neighbour."""
        by_store = [
            {name.split()[1] for name in what if name.startswith(f"{store} ")}
            for store in ("archive", "hot")
        ]
        is_one_error = by_store[0] == by_store[1] or not by_store[1]
        if not place.tape.is_aggregated or not is_one_error:
            return False
        start, end = minute - 60, minute + 120
        state = await place.hot.state(place.tape)
        if state is None or state.covered_to < end * 1000 + SETTLED_MS:
            raise NotYet("the next minute is not settled")
        rows = await self._rest.klines(place.tape.symbol, start * 1000, end * 1000 - 1)
        theirs = {row.minute: row for row in rows}
        ours = await self._saved(place, start, end)
        for span in (range(start, minute + 60, 60), range(minute, end, 60), range(start, end, 60)):
            if not all(at in theirs for at in span):
                continue
            whole = Bar(span[0])
            for at in span:
                if at in ours:
                    whole.add(ours[at])
            if not differences(joined([theirs[at] for at in span]), whole):
                return True
        return False

    async def _differences(self, place: Place, kline: Kline) -> list[str]:
        """Figures that differ in PostgreSQL, in Redis' seconds or in Redis' minute; a place that
        has let the minute go is not asked."""
        start, end = kline.minute, kline.minute + 60
        saved = (await self._saved(place, start, end)).get(start)
        differing = {f"archive {name}" for name in differences(kline, saved)}
        state = await place.hot.state(place.tape)
        minute = (await place.hot.bars(place.tape, "1m", start, end)).get(start)
        if minute is not None:
            differing |= {f"hot {name}" for name in differences(kline, minute)}
            if saved is not None and saved.flow() != minute.flow():
                differing.add("hot minute")
        if state is not None and state.hot_from <= start:
            seconds = await place.hot.bars(place.tape, "1s", start, end)
            rolled = roll_up([seconds[at] for at in sorted(seconds)], 60)
            # after two hours the seconds have gone, the minute stays
            if rolled and (minute is None or rolled[0].flow() != minute.flow()):
                differing.add("hot seconds")
        return sorted(differing)

    async def _saved(self, place: Place, start: int, end: int) -> dict[int, Bar]:
        bars = await place.database.run(archive.load, place.instrument_id, start, end)
        return {bar.time: bar for bar in roll_up(bars.values(), 60)}

    async def _with_true_ids(self, place: Place, kline: Kline) -> Kline:
        """The ids of a minute by the exchange's word: a stored bar may be what is wrong."""
        if not kline.trades:
            return kline
        symbol = place.tape.symbol
        first = await self._rest.first_id_since(symbol, kline.minute * 1000)
        after = await self._rest.first_id_since(symbol, (kline.minute + 60) * 1000)
        if after is None:
            rows = await self._rest.newest_trades(symbol, "audit")
            after = _first_after(rows, (kline.minute + 60) * 1000)
        if first is None or after is None:
            raise NotYet("the exchange does not know the minute's ids")
        return replace(kline, first_id=first, last_id=after - 1)

    async def _record(self, tape: Tape, results: list[tuple[int, str, str]]) -> None:
        if results:
            await tape.place.database.run(audits.record, tape.followed.id, results)


def _first_after(newest: Sequence[Trade], end_ms: int) -> int | None:
    """The id after a minute's last: nothing had traded since, but something may have meanwhile, and
    newest trades are told sooner than moments are looked up. None where they do not reach back."""
    later = [trade.id for trade in newest if ms_of(trade.time) >= end_ms]
    if len(later) == len(newest):
        return None
    return later[0] if later else newest[-1].id + 1


def _with_ids(row: Kline, bar: Bar | None) -> Kline:
    """REST's rows have no ids: those of our bar stand in, so they are not compared."""
    first, last = (bar.first_id, bar.last_id) if bar else (-1, -1)
    return replace(row, first_id=first, last_id=last)


def _is_settled(tape: Tape, minute: int, gaps: list[GapRecord]) -> bool:
    """Covered, saved, and without an open gap."""
    start_ms, end_ms = minute * 1000, (minute + 60) * 1000
    return (
        tape.writer.covered_to >= end_ms + SETTLED_MS
        and not any(minute <= at < minute + 60 for at in tape.writer.unsaved.bars)
        and not any(
            gap.state == "open" and gap.to_ms >= start_ms and gap.from_ms < end_ms for gap in gaps
        )
    )
