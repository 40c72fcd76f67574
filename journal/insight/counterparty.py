"""Who took the other side: what the price did after each fill, by maker and taker and by the size
of the taker order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings

from journal.insight.question import Made, Question
from journal.metrics.markout import (
    HORIZONS,
    Marked,
    Marks,
    by_trade,
    markouts,
    size_of_other_side,
)
from journal.models import Fill, TradeFill
from lib.batches import batched
from lib.dates import floor_to, to_seconds
from lib.decimals import QUOTE_UNIT
from market.flow.bands import SETS, BandSet
from market.instruments import InstrumentKey
from market.models import Instrument
from market.selectors.moments import MINUTE, SECOND, Moment, Moments

MOST_FILLS = 20_000
AT_ONCE = 2000
# from this horizon on minutes tell it well enough
LEAST_OF_MINUTES = 300
# a fill's later prices are stored within this
SETTLED = timedelta(minutes=3)
NO_MARKET, NO_MONEY, NOT_KNOWN, MINUTES_ONLY = "no_market", "no_money", "not_known", "minutes_only"
STATEMENT = "statement"
LONGEST = max(HORIZONS.values())
Key = tuple[str, str]


@dataclass
class Told:
    """`untold` counts (horizon, reason); `no_size` maker fills whose taker order has no size."""

    fills: list[Marked] = field(default_factory=list)
    untold: Counter[tuple[str, str]] = field(default_factory=Counter)
    no_size: int = 0


def compute(question: Question) -> Made:
    """Of the newest fills."""
    parts = (
        TradeFill.objects.filter(trade__in=question.trades.order_by())
        .select_related("trade", "fill__flow")
        .order_by("-fill__time", "-pk")
    )
    whole = parts.count()
    told, done = Told(), 0
    expected = min(whole, MOST_FILLS)
    for some in batched(parts[:MOST_FILLS].iterator(AT_ONCE), AT_ONCE):
        for key, own in _by_market(some).items():
            _tell(key, own, told)
        done += len(some)
        question.tell(done, expected)
    sizes = sorted({name for band_set in SETS.values() for name in band_set.names}, key=_order)
    groups = markouts(told.fills, sizes)
    return Made(
        {
            "fills": expected,
            "left_out": whole - expected,
            "told": len(told.fills),
            "untold": [
                {"horizon": horizon, "why": why, "count": count}
                for (horizon, why), count in sorted(told.untold.items())
            ],
            "no_size": told.no_size,
            "groups": [asdict(group) for group in groups],
            "worst": _worst(told.fills),
        },
        dict(_sets(told.fills, groups)),
    )


def _by_market(parts: Iterable[TradeFill]) -> dict[Key, list[TradeFill]]:
    by_market: dict[Key, list[TradeFill]] = defaultdict(list)
    for part in parts:
        by_market[part.fill.market, part.fill.symbol].append(part)
    return by_market


def _tell(key: Key, parts: Sequence[TradeFill], told: Told) -> None:
    market, symbol = key
    tape = InstrumentKey(settings.VENUE, market, symbol)
    instrument = Instrument.objects.filter(
        venue=tape.venue, market=tape.market, symbol=tape.symbol
    ).first()
    known: list[TradeFill] = []
    for part in parts:
        why = _refusal(part, instrument)
        if why:
            told.untold["", why] += 1
        else:
            known.append(part)
    if not known or instrument is None:
        return
    seconds = [to_seconds(part.fill.time) for part in known]
    moments = Moments(instrument, min(seconds) - LONGEST, max(seconds) + 2 * LONGEST)
    prices = _prices(moments, seconds)
    makers = [at for part, at in zip(known, seconds, strict=True) if part.fill.is_maker]
    taken, band_set = moments.taken(makers), SETS[instrument.band_set]
    orders = _own_orders(known)
    for part, second in zip(known, seconds, strict=True):
        size = _size(part.fill, taken.get(second), band_set, orders)
        told.no_size += not size and part.fill.is_maker
        marked = _marked(part, prices, second, size)
        told.fills.append(marked)
        for horizon, length in HORIZONS.items():
            if horizon not in marked.after:
                has_minute = (MINUTE, _minute(second + length)) in prices
                told.untold[horizon, MINUTES_ONLY if has_minute else NOT_KNOWN] += 1


def _refusal(part: TradeFill, instrument: Instrument | None) -> str:
    if instrument is None:
        return NO_MARKET
    if part.trade.rate is None or not part.fill.price or not part.fill.quote_quantity:
        return NO_MONEY
    return STATEMENT if part.fill.from_statement else ""


def _prices(moments: Moments, seconds: Sequence[int]) -> dict[tuple[int, int], Moment]:
    """By (grain, open time of the bar whose end tells it)."""
    ends = {at + length for at in seconds for length in HORIZONS.values()}
    prices = {(SECOND, at): moment for at, moment in moments.at(SECOND, ends).items()}
    minutes = {_minute(at) for at in ends if (SECOND, at) not in prices}
    return prices | {(MINUTE, at): moment for at, moment in moments.at(MINUTE, minutes).items()}


def _minute(second: int) -> int:
    """The open time of the minute that tells a second: the one that it lies in."""
    return floor_to(second, MINUTE)


def _marked(
    part: TradeFill, prices: dict[tuple[int, int], Moment], second: int, size: str
) -> Marked:
    fill, trade = part.fill, part.trade
    after = {}
    for horizon, length in HORIZONS.items():
        moment = prices.get((SECOND, second + length))
        if moment is None and length >= LEAST_OF_MINUTES:
            moment = prices.get((MINUTE, _minute(second + length)))
        if moment is not None:
            after[horizon] = moment.price
    flow = getattr(fill, "flow", None)
    mid = (flow.bid + flow.ask) / 2 if flow is not None and flow.bid and flow.ask else None
    worth = (trade.rate or 0) * trade.quote_rate
    value = float(fill.quote_quantity * worth)
    return Marked(
        trade=trade.pk,
        is_maker=fill.is_maker,
        sign=1 if fill.side == "BUY" else -1,
        price=float(fill.price),
        value=value,
        fee=_fee(part, value),
        mid=None if mid is None else float(mid),
        size=size,
        after=after,
    )


def _fee(part: TradeFill, value: float) -> float:
    """In money: exact where it was paid in the pair's own coins, else the trade's rate of fees."""
    fill, trade = part.fill, part.trade
    worth = (trade.rate or 0) * trade.quote_rate
    if fill.fee_asset == fill.quote:
        return float(fill.fee * worth)
    if fill.fee_asset == fill.base:
        return float(fill.fee * fill.price * worth)
    both = float((trade.entry_price + (trade.exit_price or 0)) * trade.quantity * (trade.rate or 0))
    return float(trade.fees_money or 0) / both * value if both else 0.0


def _own_orders(parts: Sequence[TradeFill]) -> dict[tuple[int, object], float]:
    """Quote value of one's own taker orders: fills of one order at one moment."""
    sizes: dict[tuple[int, object], float] = defaultdict(float)
    for fill in {part.fill.pk: part.fill for part in parts}.values():
        if not fill.is_maker and fill.order_id > 0:
            sizes[fill.order_id, fill.time] += float(fill.quote_quantity)
    return sizes


def _size(
    fill: Fill,
    taken: tuple[list[int], list[int]] | None,
    band_set: BandSet,
    orders: dict[tuple[int, object], float],
) -> str:
    """The band of the taker order: of a maker's fill that of the other side, where only one fits,
    of a taker's that of the own order. Empty: not known."""
    if not fill.is_maker:
        value = orders.get((fill.order_id, fill.time))
        return "" if value is None else band_set.names[band_set.band(int(value * QUOTE_UNIT))]
    if taken is None:
        return ""
    bought, sold = taken
    other = sold if fill.side == "BUY" else bought
    edges = [edge / QUOTE_UNIT for edge in band_set.edges]
    place = size_of_other_side(
        float(fill.quote_quantity), [amount / QUOTE_UNIT for amount in other], edges
    )
    return "" if place is None else band_set.names[place]


def _order(name: str) -> tuple[str, int]:
    for band_set in SETS.values():
        if name in band_set.names:
            return band_set.id, band_set.names.index(name)
    return name, 0


def _sets(fills: Sequence[Marked], groups: Sequence[Marks]) -> Iterator[tuple[Key, list[int]]]:
    """The trades of each group, and of each horizon those that it was bad for."""
    for group in groups:
        own = [
            fill
            for fill in fills
            if fill.is_maker == (group.role == "maker") and group.size in {"", fill.size}
        ]
        name = f"{group.role} {group.size}".strip()
        yield ("markout", name), sorted({fill.trade for fill in own})
        for horizon in HORIZONS:
            known = [fill for fill in own if horizon in fill.after]
            if known:
                yield (f"markout {horizon}", name), sorted({fill.trade for fill in known})


def _worst(fills: Sequence[Marked], horizon: str = "1m", count: int = 10) -> list[dict[str, Any]]:
    """The trades whose fills the price ran away from most."""
    known = [fill for fill in fills if horizon in fill.after]
    sums = by_trade(known, lambda fill: fill.gain(fill.after[horizon]))
    return [
        {"trade": trade, "money": money}
        for trade, money in sorted(sums.items(), key=lambda item: item[1])[:count]
        if money < 0
    ]
