"""Tapes of seconds around noon, and a worker that computes at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import User
from journal.filters import TradeFilter
from journal.insight import keeping
from journal.models import InsightPart
from journal.selectors.preferences import preferences_of
from lib.dates import to_ms
from market.archive import coverage, partitions, seconds
from market.archive.coverage import Stretch
from market.flow.bars import Bar
from market.hot.codec import State
from market.models import Instrument

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
UNIT, QUOTE = 10**8, 10**16
# what the seconds after noon have, by their number (before it: below zero)
Shape = Callable[[int], dict[str, Any]]


def bar(number: int, **shape: Any) -> Bar:
    """`close` for everything that is not said; `sold` and `bought` by band."""
    made = Bar(int((NOON + timedelta(seconds=number)).timestamp()))
    close = shape.get("close", 100)
    made.open, made.close = (int(shape.get(name, close) * UNIT) for name in ("open", "close"))
    made.low, made.high = (int(shape.get(name, close) * UNIT) for name in ("low", "high"))
    made.trades = 1
    made.first_id = made.last_id = number + 100_000
    made.bid, made.ask = int((close - 1) * UNIT), int((close + 1) * UNIT)
    for place, amounts in ((0, shape.get("bought", {})), (6, shape.get("sold", {}))):
        for band, amount in amounts.items():
            made.order[place + band] = made.trade[place + band] = amount * QUOTE
    made.quote_buy, made.quote_sell = sum(made.order[:6]), sum(made.order[6:12])
    return made


def lay(instrument: Instrument, shape: Shape, before: int = 60, after: int = 7200) -> None:
    """A tape of seconds that are all known."""
    partitions.prepare(NOON, NOON + timedelta(days=1))
    bars = [bar(number, **shape(number)) for number in range(-before, after)]
    first, last = to_ms(NOON) - before * 1000, to_ms(NOON) + after * 1000
    state = State(
        last_id=bars[-1].last_id,
        revision=0,
        newest=bars[-1].time,
        covered_from=first,
        covered_to=last,
        ticks=1_000_000,
        sweep=None,
    )
    seconds.save(instrument.pk, instrument.band_set, bars, state)
    coverage.add(instrument.pk, [Stretch(bars[0].first_id, bars[-1].last_id, first, last)])


def computed(user: User, name: str) -> keeping.Kept:
    """As a worker makes it, and as it is read behind that."""
    InsightPart.objects.update(computed_at=None)
    kept = keeping.ask(user, name, TradeFilter(), preferences_of(user))
    keeping.compute(kept.part.pk)
    return keeping.ask(user, name, TradeFilter(), preferences_of(user))
