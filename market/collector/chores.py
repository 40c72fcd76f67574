"""Everything beside the flow that is done now and then, tape by tape: saving, filling gaps,
auditing, letting old bars go. An ill tape stops no other (`care.py`)."""

from collections.abc import Mapping

import structlog
from django.db import Error as DatabaseError

from market.archive import marks, troubles
from market.archive import seconds as archive
from market.binance.errors import ExchangeError, Refused
from market.collector.audit import Auditor
from market.collector.care import Care
from market.collector.reach import reach_back
from market.collector.rebuild import Behind, NotYet, rebuild_gap, save_closed_gap
from market.collector.tapes import Outside, Tape
from market.collector.trim import trim
from market.instruments import InstrumentKey
from market.jobs.database import DatabaseThread
from market.models import Trouble

log = structlog.get_logger(__name__)

# What is tried, as pauses and troubles name it.
GAP = "gap"


class Chores:
    """`tapes` is the collector's own, as it changes."""

    def __init__(
        self,
        tapes: Mapping[InstrumentKey, Tape],
        outside: Outside,
        database: DatabaseThread,
        care: Care,
    ) -> None:
        self.care = care
        self._tapes = tapes
        self._outside = outside
        self._database = database
        self.auditor = Auditor(outside.rest)

    def _all(self) -> list[Tape]:
        return list(self._tapes.values())

    async def save_once(self) -> None:
        """1 s bars with cursor, revision and open sweep to PostgreSQL, one transaction a tape."""
        await self.care.each("saving", self._all(), self._save)

    async def _save(self, tape: Tape) -> None:
        taken = tape.writer.take_unsaved()
        if taken is None:
            return
        bars, gaps, state = taken
        try:
            await self._database.run(
                archive.save, tape.followed.id, tape.followed.band_set, bars, state, gaps
            )
        except Exception:
            tape.writer.give_back(bars, gaps)
            raise

    async def save_marks_once(self) -> None:
        """Mark prices of ended minutes to PostgreSQL."""
        await self.care.each("saving marks", self._all(), self._save_marks)

    async def _save_marks(self, tape: Tape) -> None:
        if ended := tape.board.take_ended_marks():
            try:
                await self._database.run(marks.save_marks, tape.followed.id, ended)
            except Exception:
                tape.board.marks = {**ended, **tape.board.marks}
                raise

    async def tell_troubles_once(self) -> None:
        """What is wrong with a tape, to PostgreSQL, for people."""
        ids = {tape.followed.key.symbol: tape for tape in self._all()}
        unreadable, self._outside.rest.unreadable = self._outside.rest.unreadable, {}
        for (symbol, name), text in unreadable.items():
            if symbol in ids:
                self.care.tell(ids[symbol], Trouble.Kind.ROW, name, text)
        if news := self.care.take_news():
            try:
                await self._database.run(troubles.keep, news)
            except DatabaseError:
                self.care.give_back(news)
                raise

    async def rebuild_once(self) -> None:
        """Work on the smallest open gap of each tape."""
        await self.care.each("gaps", self._all(), self._rebuild)

    async def _rebuild(self, tape: Tape) -> None:
        gaps = await self._outside.hot.gaps(tape.followed.key)
        # a small hole of just now does not wait for a long way back
        for gap in sorted(gaps, key=lambda gap: gap.last_id - gap.first_id):
            if gap.state != "open":
                await save_closed_gap(tape.place, gap)
                continue
            if self.care.pauses.is_paused((GAP, tape.followed.id, gap.first_id)):
                continue
            try:
                await rebuild_gap(tape.place, self._outside.rest, gap)
            except Behind as reason:
                self.care.failed(tape, GAP, reason, gap.first_id)
            except NotYet as reason:
                log.debug("gap not yet", first_id=gap.first_id, reason=str(reason))
            except ExchangeError as error:
                self.care.failed(tape, GAP, error, gap.first_id)
                if not isinstance(error, Refused):  # the next one would not be answered either
                    return
            else:
                self.care.succeeded(tape, GAP, gap.first_id)
                return

    async def reach_back_once(self) -> None:
        await self.care.each("reaching back", self._all(), self._reach_back)

    async def _reach_back(self, tape: Tape) -> None:
        await reach_back(tape, self._outside.rest)

    async def audit_once(self) -> None:
        """Closed minutes against the exchange's own."""
        await self.care.each("audit", self._all(), self._audit)

    async def _audit(self, tape: Tape) -> None:
        if tape.writer.has_begun and tape.is_verified:
            await self.auditor.audit_once(tape)
            await self.auditor.patrol_once(tape)

    async def trim_once(self) -> None:
        """Let old bars that PostgreSQL has go from Redis."""
        await self.care.each("trimming", self._all(), self._trim)

    async def _trim(self, tape: Tape) -> None:
        now = tape.writer.covered_to // 1000
        await trim(tape.place, "1s", now - self._outside.hot_seconds)
        await trim(tape.place, "1m", now - self._outside.hot_minutes)
