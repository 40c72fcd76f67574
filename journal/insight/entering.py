"""What was so about the market and one's own order when the first fill of a trade came."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings

from journal.metrics.flow import CLEAR, VERDICT_WINDOWS
from journal.metrics.traits import AtEntry
from journal.models import Order, TradeFill
from journal.selectors.report_rows import Row
from lib.batches import batched
from lib.dates import floor_to, to_seconds
from market.flow.bands import bands_for
from market.models import Instrument
from market.selectors.moments import MINUTE, SECOND, Moments

AT_ONCE = 5000
# of the newest trades; one stretch of prices each
MOST_SWINGS = 20_000
SWING_SECONDS = 15 * MINUTE
# taker orders of 100,000 and more, where the quote is a dollar: the two largest bands
LARGE_BANDS = 2
CONDITIONAL = ("STOP", "TAKE_PROFIT", "TRAILING")
Name = tuple[UUID, str, str, int]


@dataclass(frozen=True)
class _First:
    """The first entry fill of a trade, with the windows of its flow that the verdict may be of."""

    order: Name
    time: datetime
    side: str
    quote: str
    windows: Sequence[Mapping[str, Any] | None]


def at_entries(rows: Sequence[Row]) -> dict[int, AtEntry]:
    """By the trade's id; rows by closing."""
    firsts: dict[int, _First] = {}
    kinds: dict[Name, str] = {}
    for some in batched(rows, AT_ONCE):
        part = _firsts([row.id for row in some])
        kinds |= _kinds(first.order for first in part.values())
        firsts |= part
    newest = {row.id for row in islice(reversed(rows), MOST_SWINGS)}
    swings = _swings({pk: first for pk, first in firsts.items() if pk in newest})
    return {
        pk: AtEntry(_large(first), swings.get(pk), kinds.get(first.order, ""))
        for pk, first in firsts.items()
    }


def _firsts(trades: Sequence[int]) -> dict[int, _First]:
    windows = [f"fill__flow__windows__{name}" for name in VERDICT_WINDOWS]
    parts = (
        TradeFill.objects.filter(trade__in=trades, is_entry=True)
        .order_by("trade_id", "fill__time", "fill__trade_id", "pk")
        .distinct("trade_id")
        .values_list(
            "trade_id",
            "fill__account_id",
            "fill__market",
            "fill__symbol",
            "fill__order_id",
            "fill__time",
            "fill__side",
            "fill__quote",
            *windows,
        )
    )
    return {
        trade: _First((account, market, symbol, number), time, side, quote, known)
        for trade, account, market, symbol, number, time, side, quote, *known in parts
    }


def _large(first: _First) -> str:
    """How far large taker orders were on the entry's side, as a share of all that takers traded;
    empty where sizes of orders are not known."""
    names = bands_for(first.quote).names[-LARGE_BANDS:]
    for window in first.windows:
        if window is None or window["bands"] is None:
            continue
        traded = Decimal(window["buy"]) + Decimal(window["sell"])
        delta = sum((Decimal(window["bands"].get(name, 0)) for name in names), Decimal(0))
        own = delta if first.side == "BUY" else -delta
        if traded and abs(own) >= CLEAR * traded:
            return "with" if own > 0 else "against"
        return "level"
    return ""


def _kinds(names: Iterable[Name]) -> dict[Name, str]:
    """Market, limit or conditional, where the exchange told of the order."""
    wanted = {name for name in names if name[3] > 0}
    orders = Order.objects.filter(
        account__in={name[0] for name in wanted}, order_id__in={name[3] for name in wanted}
    ).values_list("account_id", "market", "symbol", "order_id", "type", "original_type")
    return {
        (account, market, symbol, number): _kind(original or kind)
        for account, market, symbol, number, kind, original in orders
        if (account, market, symbol, number) in wanted
    }


def _kind(kind: str) -> str:
    if kind.startswith(CONDITIONAL):
        return "conditional"
    return {"MARKET": "market", "LIMIT": "limit", "LIMIT_MAKER": "limit"}.get(kind, "")


def _swings(firsts: Mapping[int, _First]) -> dict[int, float]:
    """The range of the price over the quarter of an hour that ended with the last whole minute, as
    a share of its low; where all of it is known."""
    by_market: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for pk, first in firsts.items():
        _account, market, symbol, _number = first.order
        start = floor_to(to_seconds(first.time), MINUTE) - SWING_SECONDS
        by_market[market, symbol][pk] = start
    swings: dict[int, float] = {}
    for (market, symbol), starts in by_market.items():
        instrument = Instrument.objects.filter(
            venue=settings.VENUE, market=market, symbol=symbol
        ).first()
        if instrument is None:
            continue
        begins = min(starts.values())
        moments = Moments(instrument, begins, max(starts.values()) + SWING_SECONDS)
        ranges = moments.extremes(starts.values(), SWING_SECONDS, MINUTE)
        left = {start for start in starts.values() if start not in ranges}
        ranges |= moments.extremes(left, SWING_SECONDS, SECOND)
        for pk, start in starts.items():
            if start in ranges:
                low, high = ranges[start]
                swings[pk] = (high - low) / low
    return swings
