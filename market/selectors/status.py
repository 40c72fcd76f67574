"""How whole each tape is: lag, cursor, gaps, audited minutes and uptime, for people and alarms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
import structlog
from django.db.models import QuerySet
from django.utils import timezone

from lib.dates import to_ms
from market.archive import audits
from market.hot import keys
from market.hot.client import hot_client
from market.hot.codec import GapRecord, decode_gap
from market.models import Gap, Instrument
from market.selectors.reading import exchange_now_ms
from market.services.following import not_traded

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
MONTH = timedelta(days=30)
LATE_MS = 10_000


@dataclass(frozen=True)
class TapeStatus:
    """`lag_s` and the ids are None before the first trade, or while Redis is away; uptimes in
    percent of the time since the tape began, None where it is younger than a minute."""

    instrument: Instrument
    lag_s: float | None
    last_id: int | None
    open_gaps: int
    missing_ids: int
    audited: dict[str, int]
    uptime_day: float | None
    uptime_month: float | None
    # the exchange's word where it does not trade this market now, e.g. BREAK
    not_traded: str = ""

    @property
    def state(self) -> str:
        """whole, catching up (a gap is being filled), late, unknown, or not traded."""
        if self.not_traded:
            return "not traded"
        if self.lag_s is None:
            return "unknown"
        if self.lag_s > LATE_MS / 1000:
            return "late"
        return "catching up" if self.open_gaps else "whole"


def tape_statuses(instruments: Sequence[Instrument]) -> list[TapeStatus]:
    now = timezone.now()
    audited = audits.counts(now - DAY)
    halted = not_traded()
    return [
        _status(item, audited.get(item.pk, {}), now, halted.get((item.market, item.symbol), ""))
        for item in instruments
    ]


def last_gaps(count: int) -> QuerySet[Gap]:
    return Gap.objects.select_related("instrument").order_by("-updated_at")[:count]


def _status(
    instrument: Instrument, audited: dict[str, int], now: datetime, halted: str
) -> TapeStatus:
    fields, gaps = _hot(instrument)
    covered_to, covered_from = int(fields[0] or 0), int(fields[2] or 0)
    is_open = [gap for gap in gaps if gap.state == "open"]
    return TapeStatus(
        instrument=instrument,
        lag_s=(exchange_now_ms(instrument) - covered_to) / 1000 if covered_to else None,
        last_id=int(fields[1]) if fields[1] else None,
        open_gaps=len(is_open),
        missing_ids=sum(g.last_id - max(g.filled_to, g.first_id - 1) for g in is_open),
        audited=audited,
        uptime_day=_uptime(instrument, covered_from, covered_to, now, DAY),
        uptime_month=_uptime(instrument, covered_from, covered_to, now, MONTH),
        not_traded=halted,
    )


def _hot(instrument: Instrument) -> tuple[list[Any], list[GapRecord]]:
    try:
        client = hot_client()
        names = ["covered_to", "last_id", "covered_from"]
        fields: Any = client.hmget(keys.state(instrument.key), names)
        texts: Any = client.hvals(keys.gaps(instrument.key))
    except redis.RedisError as error:
        log.warning("redis away, status unknown", error=type(error).__name__)
        return [None, None, None], []
    return fields, [decode_gap(text) for text in texts]


def _uptime(
    instrument: Instrument, covered_from: int, covered_to: int, now: datetime, span: timedelta
) -> float | None:
    """Share of the span since the tape began in which no trade is missing."""
    end = to_ms(now)
    start = max(end - int(span.total_seconds() * 1000), covered_from)
    if not covered_from or end - start < 60_000:
        return None
    missing = max(0, end - max(covered_to, start)) if end - covered_to > LATE_MS else 0
    rows = Gap.objects.filter(instrument=instrument, to_ms__gte=start, state="open")
    for from_ms, to_ms_ in rows.values_list("from_ms", "to_ms"):
        missing += max(1, to_ms_ - max(from_ms, start))
    return max(0.0, 100 * (1 - missing / (end - start)))
