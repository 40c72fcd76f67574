"""What became of each minute's comparison with the exchange, in PostgreSQL."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count

from lib.dates import from_seconds, to_seconds
from market.models import Instrument, MinuteAudit

# A minute that was once rebuilt stays so in the record; one that differed may be mended.
UPSERT = """
INSERT INTO market_minuteaudit (instrument_id, minute, state, differences, audited_at)
VALUES (%s, %s, %s, %s, now())
ON CONFLICT (instrument_id, minute) DO UPDATE
SET state = CASE
      WHEN excluded.state = 'agrees' AND market_minuteaudit.state <> 'agrees' THEN 'rebuilt'
      ELSE excluded.state END,
    differences = CASE
      WHEN excluded.state = 'agrees' THEN market_minuteaudit.differences
      ELSE excluded.differences END,
    audited_at = now()
"""

# In batches, along the index of instrument and minute.
DROP = """
DELETE FROM market_minuteaudit WHERE id IN (
    SELECT id FROM market_minuteaudit WHERE instrument_id = %s AND minute < %s
    AND (state = 'agrees' OR minute < %s) ORDER BY minute LIMIT %s
)
"""
ROWS_A_BATCH = 20_000
# What was rebuilt or differs is worth more than what agreed.
OTHERS_KEPT_DAYS = 365


def record(instrument_id: int, results: Iterable[tuple[int, str, str]]) -> None:
    """Rows of (minute in epoch s, state, differing figures)."""
    rows: list[list[Any]] = [
        [instrument_id, from_seconds(at), state, what[:120]] for at, state, what in results
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(UPSERT, rows)


def known(instrument_id: int, start: int, end: int) -> dict[int, str]:
    """States of the audited minutes with start <= minute < end (epoch s)."""
    rows = MinuteAudit.objects.filter(
        instrument_id=instrument_id,
        minute__gte=from_seconds(start),
        minute__lt=from_seconds(end),
    ).values_list("minute", "state")
    return {to_seconds(minute): state for minute, state in rows}


def drop_old(now: datetime) -> int:
    """Records that are kept no longer; returns how many went."""
    agreed = now - timedelta(days=settings.RETENTION_AUDITS_DAYS)
    others = min(agreed, now - timedelta(days=OTHERS_KEPT_DAYS))
    dropped = 0
    for instrument_id in Instrument.objects.values_list("pk", flat=True):
        while True:
            with connection.cursor() as cursor:
                cursor.execute(DROP, [instrument_id, agreed, others, ROWS_A_BATCH])
                dropped += cursor.rowcount
                if cursor.rowcount < ROWS_A_BATCH:
                    break
    return dropped


def counts(since: datetime) -> dict[int, dict[str, int]]:
    """Instrument -> state -> audited minutes since a moment."""
    by_instrument: dict[int, dict[str, int]] = {}
    rows = (
        MinuteAudit.objects.filter(minute__gte=since)
        .values("instrument_id", "state")
        .annotate(minutes=Count("id"))
        .order_by()
    )
    for row in rows:
        by_instrument.setdefault(row["instrument_id"], {})[row["state"]] = row["minutes"]
    return by_instrument
