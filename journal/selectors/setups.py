"""Occurrences of a setup's flow condition: those that were traded, and those that were missed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from journal.models import Setup, Trade
from lib.dates import from_seconds, to_ms
from market.flow.bars import Bar
from market.models import Instrument
from market.selectors.reading import read_span

# How far back missed ones are looked for, and how near an entry must be to count as taken.
LOOK_BACK = timedelta(hours=24)
NEAR = timedelta(minutes=5)
MOST_MISSED = 100


@dataclass(frozen=True)
class Missed:
    """A closed minute in which the condition began to hold, with its first and last trade id."""

    symbol: str
    time: datetime
    share: Decimal
    price: Decimal
    first_id: int
    last_id: int


@dataclass(frozen=True)
class Occurrences:
    """`taken` are closed trades whose entry met the condition, whatever setup was noted."""

    setup: Setup
    taken: "QuerySet[Trade]"
    missed: list[Missed]


def occurrences(user: User, setup: Setup) -> Occurrences | None:
    """None for a setup without a condition."""
    direction, least = setup.conditions.get("direction"), setup.conditions.get("least_share")
    if direction is None or least is None:
        return None
    trades: QuerySet[Trade] = Trade.objects.visible_to(user).filter(direction=direction)
    taken = trades.filter(flow_share__gte=Decimal(least), closed_at__isnull=False)
    return Occurrences(setup, taken, _missed(user, trades, direction, Decimal(least)))


def _missed(user: User, trades: "QuerySet[Trade]", direction: str, least: Decimal) -> list[Missed]:
    now = timezone.now()
    symbols = trades.filter(opened_at__gte=now - timedelta(days=30)).order_by()
    missed: list[Missed] = []
    for market, symbol in symbols.values_list("market", "symbol").distinct():
        instrument = Instrument.objects.filter(
            venue=settings.VENUE, market=market, symbol=symbol
        ).first()
        if instrument is None:
            continue
        entries = list(
            Trade.objects.visible_to(user)
            .filter(market=market, symbol=symbol, opened_at__gte=now - LOOK_BACK - NEAR)
            .values_list("opened_at", flat=True)
        )
        span = read_span(instrument, "1m", to_ms(now - LOOK_BACK), to_ms(now))
        bars = [bar for bar in span.bars if span.is_closed(bar) and span.is_complete(bar)]
        for item in began(symbol, bars, direction, least):
            if not any(abs(entry - item.time) <= NEAR for entry in entries):
                missed.append(item)
    return sorted(missed, key=lambda item: item.time, reverse=True)[:MOST_MISSED]


def began(symbol: str, bars: Sequence[Bar], direction: str, least: Decimal) -> Iterator[Missed]:
    """Minutes in which the takers' share on that side reaches `least` after one in which it had
    not; never across a gap."""
    sign = 1 if direction == "LONG" else -1
    before: Bar | None = None
    for bar in bars:
        follows = before is not None and bar.time == before.time + 60
        if follows and before is not None and _share(bar, sign) >= least > _share(before, sign):
            yield Missed(
                symbol,
                from_seconds(bar.time + 60),
                _share(bar, sign).quantize(Decimal("0.0001")),
                Decimal(bar.close).scaleb(-8),
                bar.first_id,
                bar.last_id,
            )
        before = bar


def _share(bar: Bar, sign: int) -> Decimal:
    volume = bar.quote_buy + bar.quote_sell
    return Decimal(sign * bar.delta) / Decimal(volume) if volume else Decimal(0)
