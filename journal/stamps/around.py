"""The market around the fills of one tape: bars that are whole, each block read once a round."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from lib.dates import to_ms
from market.flow.bars import Bar
from market.instruments import InstrumentKey
from market.models import Instrument
from market.past import resolving
from market.past.spans import is_within
from market.selectors import reading

SECOND, MINUTE, HOUR = 1, 60, 3600
INTERVALS = {SECOND: "1s", MINUTE: "1m", HOUR: "1h"}
# Bars of a block are read together.
BLOCKS = {MINUTE: 2 * HOUR, HOUR: 7 * 86_400}
LONGEST_PATH = 12 * HOUR


class Around:
    """Everything in epoch seconds; None where not all of it is known."""

    def __init__(self, instrument: Instrument, start: datetime, end: datetime) -> None:
        """`start` and `end` are about the first and last moment that will be asked for."""
        self.instrument = instrument
        self._seconds = reading.known_seconds(instrument, to_ms(start) // 1000, to_ms(end) // 1000)
        self._blocks: dict[tuple[int, int], dict[int, Bar]] = {}
        self._tape = [
            (first // 1000, -(-last // 1000)) for first, last in reading.covered_times(instrument)
        ]
        self.live_to = reading.live_to(instrument)

    @classmethod
    def of(cls, market: str, symbol: str, start: datetime, end: datetime) -> "Around | None":
        key = InstrumentKey(settings.VENUE, market, symbol)
        instrument = Instrument.objects.filter(
            venue=key.venue, market=key.market, symbol=key.symbol
        ).first()
        return None if instrument is None else cls(instrument, start, end)

    def seconds(self, start: int, end: int) -> list[Bar] | None:
        if end - start > LONGEST_PATH or not is_within(start, end, self._seconds):
            return None
        if not self._is_in_tape(start, end):
            known = self._read_past(SECOND, start, end)
            return list(known.values()) if len(known) == end - start else None
        span = reading.read_span(self.instrument, INTERVALS[SECOND], start * 1000, end * 1000)
        return span.bars if span.is_whole else None

    def minutes(self, start: int, end: int) -> list[Bar] | None:
        return self._bars(MINUTE, start, end)

    def hours(self, start: int, end: int) -> list[Bar] | None:
        return self._bars(HOUR, start, end)

    def _bars(self, size: int, start: int, end: int) -> list[Bar] | None:
        """Bars of whole steps from `start` to `end`."""
        bars: list[Bar] = []
        for at in range(start, end, size):
            block = at // BLOCKS[size] * BLOCKS[size]
            bar = self._block(size, block).get(at)
            if bar is None:
                return None
            bars.append(bar)
        return bars

    def _block(self, size: int, at: int) -> dict[int, Bar]:
        if (size, at) not in self._blocks:
            end = at + BLOCKS[size]
            if self._is_in_tape(at, end):
                self._blocks[size, at] = self._read(size, at, end)
            else:
                self._blocks[size, at] = self._read_past(size, at, end)
        return self._blocks[size, at]

    def _is_in_tape(self, start: int, end: int) -> bool:
        return any(first < end and start < last for first, last in self._tape)

    def _read(self, size: int, start: int, end: int) -> dict[int, Bar]:
        """By the rule of which bar stands where."""
        span = reading.read_span(self.instrument, INTERVALS[size], start * 1000, end * 1000)
        return {bar.time: bar for bar in span.bars if span.is_complete(bar) and span.is_closed(bar)}

    def _read_past(self, size: int, start: int, end: int) -> dict[int, Bar]:
        """The same where no tape is: what the past's store knows of it, without going through
        Redis and the archive."""
        resolved = resolving.Resolver(self.instrument, [], _no_tape, end).resolve(
            size, range(start, end, size)
        )
        return {at: bar for at, bar in resolved.bars.items() if at in resolved.whole}


def _no_tape(_grain: int, _start: int, _end: int) -> resolving.TapeBars:
    return resolving.TapeBars({}, {})


def extremes(bars: Sequence[Bar]) -> tuple[int, int] | None:
    """(high, low), scaled by 1e-8; None where nothing has a price."""
    priced = [bar for bar in bars if bar.high]
    if not priced:
        return None
    return max(bar.high for bar in priced), min(bar.low for bar in priced)
