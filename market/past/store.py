"""Bars of the past in PostgreSQL: whole ones only, of any length, each with its detail, beside the
tapes that the collectors keep. Of two versions the one of higher (detail, revision, trades) stays.

What was traded in none of a known stretch has no row: the stretch says that it is known.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from lib.dates import from_seconds, to_seconds
from lib.decimals import decimal, from_decimal
from market.archive.seconds import COLUMNS
from market.flow.bands import BANDS
from market.flow.bars import Bar, roll_up
from market.flow.detail import Detail
from market.hot.codec import pack, unpack
from market.models import PastBar, PastNews, PastSpan
from market.past.spans import Stretch, merged, minus

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86_400
GRAINS = (SECOND, MINUTE, HOUR, DAY)
NAMES = [
    "instrument_id",
    "grain",
    "time",
    *COLUMNS,
    "trade_bands",
    "order_bands",
    "band_set",
    "detail",
    "revision",
]
KEY = ("instrument_id", "grain", "time")
_changing = [name for name in NAMES if name not in KEY]
UPSERT = f"""
INSERT INTO market_pastbar ({", ".join(NAMES)}) SELECT {", ".join(NAMES)} FROM incoming_past
ON CONFLICT (instrument_id, grain, time) DO UPDATE
SET ({", ".join(_changing)}) = ({", ".join(f"excluded.{name}" for name in _changing)})
WHERE (excluded.detail, excluded.revision, excluded.trades)
   >= (market_pastbar.detail, market_pastbar.revision, market_pastbar.trades)
"""  # noqa: S608  (column names are ours)
# So many have been asked for in vain; a hole is asked for again after this.
NOTHING = [0] * (3 * BANDS)


@transaction.atomic
def keep(
    instrument_id: int,
    band_set: str,
    grain: int,
    detail: Detail,
    bars: Sequence[Bar],
    stretches: Iterable[Stretch],
) -> None:
    """Keep whole bars and the stretches (epoch s) of which they tell everything; longer bars that
    lie wholly in a stretch are kept with them."""
    stretches = merged(stretches)
    _write(instrument_id, band_set, grain, detail, bars)
    _cover(instrument_id, grain, detail, stretches)
    longer = [size for size in GRAINS if size > grain and size % grain == 0]
    for size in longer:
        inside = [(-(-a // size) * size, b // size * size) for a, b in stretches]
        inside = merged(inside)
        if not inside:
            break
        whole = [bar for bar in bars if any(a <= bar.time < b for a, b in inside)]
        rolled = roll_up(whole, size)
        _write(instrument_id, band_set, size, detail, rolled)
        _cover(instrument_id, size, detail, inside)
    PastNews.objects.bulk_create(
        PastNews(instrument_id=instrument_id, start=start, end=end) for start, end in stretches
    )


def load(
    instrument_id: int, grain: int, start: int, end: int, band_set: str | None = None
) -> dict[int, Bar]:
    """Bars with start <= open time < end (epoch s), by open time; bands of another set than asked
    for are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(NAMES[2:])} FROM market_pastbar "  # noqa: S608  (ours)
            "WHERE instrument_id = %s AND grain = %s AND time >= %s AND time < %s "
            "AND (detail = 0 OR %s::text IS NULL OR band_set = %s) ORDER BY time",
            [instrument_id, grain, from_seconds(start), from_seconds(end), band_set, band_set],
        )
        bars = [_bar(row) for row in cursor.fetchall()]
    return {bar.time: bar for bar in bars}


def close_before(instrument_id: int, at: int) -> int | None:
    """The newest close known before a moment (epoch s), scaled by 1e-8."""
    rows = PastBar.objects.filter(
        instrument_id=instrument_id,
        grain__in=(SECOND, MINUTE),
        time__lt=from_seconds(at),
        time__gte=from_seconds(at - DAY),
    )
    close = rows.order_by("-time", "grain").values_list("close", flat=True).first()
    return None if close is None else from_decimal(close)


def spans(
    instrument_id: int, grain: int, start: int, end: int, least: Detail = Detail.TOTAL
) -> list[tuple[int, int, Detail]]:
    """What is known of a grain between two moments (epoch s), cut to them."""
    rows = PastSpan.objects.filter(
        instrument_id=instrument_id, grain=grain, detail__gte=least, end__gt=start, start__lt=end
    )
    return [
        (max(first, start), min(last, end), Detail(detail))
        for first, last, detail in rows.order_by("start").values_list("start", "end", "detail")
    ]


def known(
    instrument_id: int, grain: int, start: int, end: int, least: Detail = Detail.TOTAL
) -> list[Stretch]:
    return merged((a, b) for a, b, _ in spans(instrument_id, grain, start, end, least))


@transaction.atomic
def note_absent(instrument_id: int, grain: int, stretches: Iterable[Stretch]) -> None:
    """The exchange was asked and has nothing of these: nobody asks again for a day."""
    for start, end in merged(stretches):
        PastSpan.objects.update_or_create(
            instrument_id=instrument_id,
            grain=grain,
            detail=PastSpan.ABSENT,
            start=start,
            defaults={"end": end},
        )


def absent(instrument_id: int, grain: int, start: int, end: int, since: datetime) -> list[Stretch]:
    """What was asked for in vain since a moment."""
    rows = PastSpan.objects.filter(
        instrument_id=instrument_id,
        grain=grain,
        detail=PastSpan.ABSENT,
        end__gt=start,
        start__lt=end,
        updated_at__gte=since,
    )
    return merged(rows.values_list("start", "end"))


def _write(
    instrument_id: int, band_set: str, grain: int, detail: Detail, bars: Sequence[Bar]
) -> None:
    traded = [bar for bar in bars if bar.trades]
    if not traded:
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE incoming_past (LIKE market_pastbar) ON COMMIT DROP")
        copying = f"COPY incoming_past ({', '.join(NAMES)}) FROM STDIN"
        with connection.wrap_database_errors, cursor.copy(copying) as copy:
            for bar in traded:
                copy.write_row(_row(instrument_id, band_set, grain, detail, bar))
        cursor.execute(UPSERT)
        cursor.execute("DROP TABLE incoming_past")


def _cover(instrument_id: int, grain: int, detail: Detail, stretches: Sequence[Stretch]) -> None:
    """Joined with what they touch; one writer of an instrument's grain at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [instrument_id % 2**31, grain])
    mine = PastSpan.objects.filter(instrument_id=instrument_id, grain=grain)
    for start, end in stretches:
        touching = mine.filter(detail=detail, end__gte=start, start__lte=end)
        joined = merged([(start, end), *touching.values_list("start", "end")])
        touching.delete()
        PastSpan.objects.bulk_create(
            PastSpan(instrument_id=instrument_id, grain=grain, detail=detail, start=a, end=b)
            for a, b in joined
        )
        mine.filter(detail=PastSpan.ABSENT, start__gte=start, end__lte=end).delete()


def _row(instrument_id: int, band_set: str, grain: int, detail: Detail, bar: Bar) -> list[Any]:
    row: list[Any] = [instrument_id, grain, from_seconds(bar.time)]
    for name, places in COLUMNS.items():
        value: int = getattr(bar, name)
        row.append(value if places is None else decimal(value, places))
    trade = pack(bar.trade) if detail == Detail.FULL else ""
    order = pack(bar.order) if detail >= Detail.ORDER else ""
    return [*row, trade, order, band_set, int(detail), bar.revision]


def _bar(row: Sequence[Any]) -> Bar:
    time: datetime = row[0]
    bar = Bar(to_seconds(time))
    for value, (name, places) in zip(row[1:], COLUMNS.items(), strict=False):
        setattr(bar, name, value if places is None else from_decimal(value, places))
    trade, order, _, detail, bar.revision = row[-5:]
    bar.detail = Detail(detail)
    bar.trade = unpack(trade) if trade else list(NOTHING)
    bar.order = unpack(order) if order else list(NOTHING)
    return bar


def left_to_ask(
    instrument_id: int, grain: int, wanted: Sequence[Stretch], since: datetime
) -> list[Stretch]:
    """What of it is neither known nor was asked for in vain since a moment."""
    if not wanted:
        return []
    start, end = wanted[0][0], wanted[-1][1]
    there = known(instrument_id, grain, start, end)
    return minus(wanted, merged([*there, *absent(instrument_id, grain, start, end, since)]))


def first_known(instrument_id: int) -> int | None:
    """The oldest moment (epoch s) that anything is known of."""
    rows = PastSpan.objects.filter(instrument_id=instrument_id).exclude(detail=PastSpan.ABSENT)
    return rows.order_by("start").values_list("start", flat=True).first()
