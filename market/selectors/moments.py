"""Single seconds of a tape at many moments, read together: prices after fills, and what takers did
in a second. From PostgreSQL alone: what is younger than a few seconds is not known yet."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from lib.dates import from_seconds
from lib.decimals import QUOTE_UNIT
from market.archive.rollups import HOUR, TABLES, pruned_hours
from market.flow.bands import BANDS
from market.flow.detail import Detail
from market.hot.codec import unpack
from market.models import Gap, Instrument
from market.past import store as past
from market.past.spans import Stretch, is_within, merged, minus
from market.selectors.reading import covered_times

SECOND, MINUTE = 1, 60
# so far behind its last trade a price is told
LONGEST_QUIET = 3600
TAPES = {SECOND: "market_second_bar", MINUTE: TABLES[MINUTE]}
# the newest bar up to each moment, of the tape or of the past's store
NEWEST = """
SELECT moment, bar.time, bar.close, bar.bid, bar.ask
FROM unnest(%s::timestamptz[]) AS moment
CROSS JOIN LATERAL (
  (SELECT time, close::float8, bid::float8, ask::float8 FROM {table}
   WHERE instrument_id = %s AND time <= moment AND time > moment - %s * interval '1 second'
   ORDER BY time DESC LIMIT 1)
  UNION ALL
  (SELECT time, close::float8, bid::float8, ask::float8 FROM market_pastbar
   WHERE instrument_id = %s AND grain = %s AND time <= moment
     AND time > moment - %s * interval '1 second'
   ORDER BY time DESC LIMIT 1)
  ORDER BY time DESC LIMIT 1
) AS bar
"""
# the extremes of so many seconds from each moment on, of the tape and of the past's store
EXTREMES = """
SELECT moment, least(tape.low, past.low), greatest(tape.high, past.high)
FROM unnest(%s::timestamptz[]) AS moment
CROSS JOIN LATERAL (
  SELECT min(low)::float8 AS low, max(high)::float8 AS high FROM {table}
  WHERE instrument_id = %s AND time >= moment AND time < moment + %s * interval '1 second'
    AND high > 0
) AS tape
CROSS JOIN LATERAL (
  SELECT min(low)::float8 AS low, max(high)::float8 AS high FROM market_pastbar
  WHERE instrument_id = %s AND grain = %s AND high > 0
    AND time >= moment AND time < moment + %s * interval '1 second'
) AS past
"""
# bars of a stretch, the tape's before the past's
STRETCH = """
SELECT DISTINCT ON (time) extract(epoch FROM time)::bigint,
  open::float8, low::float8, high::float8, close::float8, order_bands, is_told
FROM (
  SELECT time, open, low, high, close, order_bands, true AS is_told, 0 AS place FROM {table}
  WHERE instrument_id = %s AND time >= %s AND time < %s AND band_set = %s
  UNION ALL
  SELECT time, open, low, high, close, order_bands, detail >= %s, 1 FROM market_pastbar
  WHERE instrument_id = %s AND grain = %s AND time >= %s AND time < %s
    AND (detail = 0 OR band_set = %s)
) AS bars
ORDER BY time, place
"""
BANDS_OF = """
SELECT extract(epoch FROM time)::bigint, order_bands FROM market_second_bar
WHERE instrument_id = %s AND time = ANY(%s) AND band_set = %s
UNION ALL
SELECT extract(epoch FROM time)::bigint, order_bands FROM market_pastbar
WHERE instrument_id = %s AND grain = 1 AND time = ANY(%s) AND band_set = %s AND detail >= %s
"""
AT_ONCE = 2000


@dataclass(frozen=True)
class Moment:
    """The last trade's price of a bar, and the best prices then (0: not known)."""

    close: float
    bid: float
    ask: float

    @property
    def price(self) -> float:
        """The middle between the best prices where it is known."""
        return (self.bid + self.ask) / 2 if self.bid and self.ask else self.close


class Traded(NamedTuple):
    """A bar with trades; `large`: bought less sold by taker orders of the two largest bands, in
    quote, None where no bands are known."""

    time: int
    open: float
    low: float
    high: float
    close: float
    large: float | None


class Moments:
    """Of one instrument, between two moments (epoch s)."""

    def __init__(self, instrument: Instrument, start: int, end: int) -> None:
        self._instrument = instrument
        tape = [(-(-a // 1000), b // 1000) for a, b in covered_times(instrument)]
        tape = [(max(a, start), min(b, end)) for a, b in tape]
        gaps = merged(
            (gap.from_ms // 1000, gap.to_ms // 1000 + 1)
            for gap in Gap.objects.filter(instrument=instrument, state=Gap.State.OPEN)
        )
        whole = minus(merged(tape), gaps)
        pruned = merged((at, at + HOUR) for at in pruned_hours(instrument.pk, start, end))
        # an hour has its minutes in PostgreSQL before its seconds go
        in_minutes = minus(pruned, minus(pruned, whole))
        self._known: dict[int, list[Stretch]] = {
            SECOND: merged([*minus(whole, pruned), *past.known(instrument.pk, SECOND, start, end)]),
            MINUTE: merged([*in_minutes, *past.known(instrument.pk, MINUTE, start, end)]),
        }

    def at(self, grain: int, opens: Iterable[int]) -> dict[int, Moment]:
        """What the bars of these open times (epoch s) ended with; those not known are left out. In
        a bar without trades the price is that of the trade before."""
        known = self._known[grain]
        wanted = sorted({at for at in opens if is_within(at, at + grain, known)})
        found: dict[int, Moment] = {}
        for start in range(0, len(wanted), AT_ONCE):
            for at, traded, moment in self._newest(grain, wanted[start : start + AT_ONCE]):
                if is_within(min(traded, at), at + grain, known):
                    found[at] = moment
        return found

    def taken(self, seconds: Iterable[int]) -> dict[int, tuple[list[int], list[int]]]:
        """(bought, sold) by taker orders in these seconds, by band, scaled by 1e-16 of the quote;
        seconds whose bands are not known are left out."""
        wanted = sorted({at for at in seconds if is_within(at, at + 1, self._known[SECOND])})
        found: dict[int, tuple[list[int], list[int]]] = {}
        for start in range(0, len(wanted), AT_ONCE):
            for at, text in self._bands(wanted[start : start + AT_ONCE]):
                if text:
                    flat = unpack(text)
                    found.setdefault(at, (flat[:BANDS], flat[BANDS : 2 * BANDS]))
        return found

    def extremes(
        self, starts: Iterable[int], length: int, grain: int = SECOND
    ) -> dict[int, tuple[float, float]]:
        """(lowest, highest) price traded in so many seconds from each of these on, by bars of the
        grain; what is not known whole, or saw no trade, is left out."""
        known, pk = self._known[grain], self._instrument.pk
        statement = EXTREMES.format(table=TAPES[grain])
        wanted = sorted({at for at in starts if is_within(at, at + length, known)})
        found: dict[int, tuple[float, float]] = {}
        for first in range(0, len(wanted), AT_ONCE):
            times = [from_seconds(at) for at in wanted[first : first + AT_ONCE]]
            with connection.cursor() as cursor:
                cursor.execute(statement, [times, pk, length, pk, grain, length])
                for moment, low, high in cursor.fetchall():
                    if low is not None:
                        found[int(moment.timestamp())] = low, high
        return found

    def stretch(self, grain: int, start: int, end: int) -> list[Traded] | None:
        """The bars with trades of start <= open time < end; None where not all of it is known."""
        if not is_within(start, end, self._known[grain]):
            return None
        pk, bands = self._instrument.pk, self._instrument.band_set
        first, last = from_seconds(start), from_seconds(end)
        with connection.cursor() as cursor:
            cursor.execute(
                STRETCH.format(table=TAPES[grain]),
                [pk, first, last, bands, int(Detail.ORDER), pk, grain, first, last, bands],
            )
            rows = cursor.fetchall()
        return [
            Traded(at, opened, low, high, close, _large(bands) if is_told and bands else None)
            for at, opened, low, high, close, bands, is_told in rows
            if high
        ]

    def known_to(self, grain: int, start: int) -> int:
        """Up to where (epoch s) everything is known from a moment on; where nothing is, the moment
        itself."""
        known = self._known[grain]
        at = bisect_right(known, (start, 2**62)) - 1
        return max(start, known[at][1]) if at >= 0 else start

    def _newest(self, grain: int, opens: Sequence[int]) -> list[tuple[int, int, Moment]]:
        pk, times = self._instrument.pk, [from_seconds(at) for at in opens]
        with connection.cursor() as cursor:
            cursor.execute(
                NEWEST.format(table=TAPES[grain]),
                [times, pk, LONGEST_QUIET, pk, grain, LONGEST_QUIET],
            )
            return [
                (int(moment.timestamp()), int(traded.timestamp()), Moment(close, bid, ask))
                for moment, traded, close, bid, ask in cursor.fetchall()
            ]

    def _bands(self, seconds: Sequence[int]) -> list[tuple[int, str]]:
        pk, bands = self._instrument.pk, self._instrument.band_set
        times = [from_seconds(at) for at in seconds]
        with connection.cursor() as cursor:
            cursor.execute(BANDS_OF, [pk, times, bands, pk, times, bands, int(Detail.ORDER)])
            rows: list[tuple[int, str]] = cursor.fetchall()
            return rows


def _large(text: str) -> float:
    """Of packed bands."""
    flat = text.split()
    bought, sold = flat[BANDS - 2 : BANDS], flat[2 * BANDS - 2 : 2 * BANDS]
    delta = sum(map(int, bought)) - sum(map(int, sold))
    return float(delta / QUOTE_UNIT)
