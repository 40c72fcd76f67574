"""Order flow on fills and trades: stamped when their bars are there, again while later ones may
still change it. Where the tape is not covered nothing is said."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from journal.books.results import rounded
from journal.metrics import flow
from journal.metrics.excursion import (
    Execution,
    Span,
    after_exit,
    excursion,
    exit_efficiency,
    slippage,
)
from journal.metrics.undefined import Undefined
from journal.models import Fill, FillFlow, Trade
from lib.cash import DOLLARS
from lib.dates import from_ms, to_ms, to_seconds
from lib.decimals import QUOTE_PLACES, decimal, plain
from lib.parking import Parking
from market.answers import band_deltas
from market.flow.bars import Bar
from market.models import Instrument
from market.selectors import reading

log = structlog.get_logger(__name__)

LONGEST_WINDOW = timedelta(seconds=max(flow.WINDOWS.values()))
# Bars may still change for so long: late trades are filled within seconds, gaps within minutes.
SETTLED_AFTER = timedelta(minutes=3)
AGAIN_AFTER = timedelta(seconds=30)
# Behind that a bar comes by import only.
LATE_UP_TO = timedelta(days=1)
AFTER_EXIT = timedelta(hours=1)
# A path of seconds up to here; longer trades use minutes, and seconds where they have fills.
SECONDS_UP_TO = timedelta(hours=6)
FILLS_A_ROUND = 300
TRADES_A_ROUND = 100
MINUTE_MS = 60_000
_parked = Parking(first=60.0, longest=86_400.0)


def stamp_due() -> int:
    """Everything that can be stamped now, so many a round. Returns how many were."""
    count = 0
    for instrument in Instrument.objects.filter(venue=settings.VENUE):
        covered = reading.covered_times(instrument)
        for start_ms, end_ms in covered:
            count += _stamp_fills(instrument, start_ms, end_ms)
            count += _stamp_trades(instrument, start_ms, end_ms)
    return count


def _stamp_fills(instrument: Instrument, start_ms: int, end_ms: int) -> int:
    rows = (
        Fill.objects.filter(
            account__venue=instrument.venue,
            market=instrument.market,
            symbol=instrument.symbol,
            time__gte=from_ms(start_ms) + LONGEST_WINDOW,
            time__lte=from_ms(end_ms),
        )
        .filter(Q(flow=None) | Q(flow__is_final=False, flow__stamped_at__lt=_before()))
        .order_by("-time")[:FILLS_A_ROUND]
    )
    touched = []
    for fill in rows:
        with _apart(f"fill {fill.pk}") as is_well, transaction.atomic():
            stamp = stamp_fill(instrument, fill, end_ms) if is_well else None
            if stamp is not None:
                _keep(stamp)
                touched.append(fill.pk)
    Trade.objects.filter(fills__in=touched).update(is_stamp_final=False, stamped_at=None)
    return len(touched)


def _keep(stamp: FillFlow) -> None:
    FillFlow.objects.bulk_create(
        [stamp],
        update_conflicts=True,
        unique_fields=["fill"],
        update_fields=[
            "is_covered",
            "windows",
            "share",
            "bid",
            "ask",
            "day_high",
            "day_low",
            "slippage",
            "stamped_at",
            "is_final",
        ],
    )


def stamp_fill(instrument: Instrument, fill: Fill, covered_to_ms: int) -> FillFlow | None:
    """None while its 15 minutes are not whole: a gap may still be filled."""
    second = to_seconds(fill.time)
    start_ms = (second - max(flow.WINDOWS.values())) * 1000
    span = reading.read_span(instrument, "1s", start_ms, second * 1000)
    if not span.is_whole:
        return None
    found = flow.windows([_second(instrument, bar) for bar in span.bars], second)
    bid, ask = _best_before(span.bars)
    high, low = _day_range(instrument, fill, span.bars)
    now = timezone.now()
    cost = None
    if bid and ask:
        cost = rounded(slippage(fill.price, (bid + ask) / 2, fill.quantity, fill.side == "BUY"))
    part = flow.share(found["1m"], fill.side == "BUY")
    is_old = fill.time < now - LATE_UP_TO  # of a stretch that ends soon behind it
    settled = is_old or from_ms(covered_to_ms) > fill.time + SETTLED_AFTER
    return FillFlow(
        fill=fill,
        is_covered=True,
        windows={name: _as_json(w) for name, w in found.items()},
        share=None if part is None else part.quantize(Decimal("1e-8")),
        bid=bid,
        ask=ask,
        day_high=high,
        day_low=low,
        slippage=cost,
        stamped_at=now,
        is_final=settled,
    )


# --- trades -------------------------------------------------------------------------------------


def _stamp_trades(instrument: Instrument, start_ms: int, end_ms: int) -> int:
    start, end = from_ms(start_ms), from_ms(end_ms)
    rows: QuerySet[Trade] = (
        Trade.objects.filter(
            account__venue=instrument.venue,
            market=instrument.market,
            symbol=instrument.symbol,
            is_stamp_final=False,
            opened_at__lte=end,
            opened_at__gte=start,
        )
        .filter(
            Q(stamped_at=None)
            | Q(stamped_at__lt=_before()) & (Q(closed_at=None) | Q(closed_at__gt=_late()))
            | Q(stamped_at__lt=_late())
        )
        .prefetch_related("trade_fills__fill__flow")
        .order_by("-opened_at")[:TRADES_A_ROUND]
    )
    count = 0
    for trade in rows:
        with _apart(f"trade {trade.pk}") as is_well, transaction.atomic():
            if not is_well:
                continue
            stamp_trade(instrument, trade, end_ms)
            trade.save(
                update_fields=[
                    "flow",
                    "flow_share",
                    "worst",
                    "best",
                    "efficiency",
                    "after_5m",
                    "after_1h",
                    "slippage",
                    "stamped_at",
                    "is_stamp_final",
                ]
            )
            count += 1
    return count


@contextmanager
def _apart(name: str) -> Iterator[bool]:
    """False while it is parked: a row that cannot be stamped holds nobody else's up."""
    if _parked.is_parked(name):
        yield False
        return
    try:
        yield True
    except OperationalError:  # nobody is ill
        raise
    except Exception:
        pause = _parked.park(name)
        log.exception("stamp set aside", name=name, again_in=pause)
    else:
        _parked.clear(name)


def stamp_trade(instrument: Instrument, trade: Trade, covered_to_ms: int) -> None:
    """Fill in what is known; what is not stays empty."""
    parts = list(trade.trade_fills.all())
    flows = {part.fill_id: getattr(part.fill, "flow", None) for part in parts}
    entries = [
        (part.fill.quantity, found.share if (found := flows[part.fill_id]) else None)
        for part in parts
        if part.is_entry
    ]
    trade.flow, mean = flow.verdict(entries)
    trade.flow_share = None if mean is None else mean.quantize(Decimal("1e-8"))
    own = [flows[part.fill_id] for part in parts if part.fill.base == trade.base]
    costs = [found.slippage if found else None for found in own]
    known = [cost for cost in costs if cost is not None]
    is_whole = bool(known) and len(known) == len(costs)
    trade.slippage = rounded(sum(known, Decimal(0)) * trade.quote_rate) if is_whole else None
    _stamp_excursion(instrument, trade, [part.fill for part in parts])
    _stamp_after(instrument, trade, covered_to_ms)
    trade.stamped_at = timezone.now()
    trade.is_stamp_final = (
        trade.closed_at is not None
        and from_ms(covered_to_ms) > trade.closed_at + AFTER_EXIT + SETTLED_AFTER
        and all(found is not None and found.is_final for found in flows.values())
    )


def _stamp_excursion(instrument: Instrument, trade: Trade, fills: Sequence[Fill]) -> None:
    trade.worst = trade.best = trade.efficiency = None
    sign = {"BUY": 1, "SELL": -1}
    held = sum((fill.quantity * sign[fill.side] for fill in fills), Decimal(0))
    is_flat = abs(held) * 100 <= trade.quantity  # but for fees in the coin
    if trade.by_hand == Trade.ByHand.SPLIT or ((trade.by_hand or trade.is_aside) and not is_flat):
        return  # its fills alone do not say what was held
    if any(fill.base != trade.base or not _is_alike(fill, trade) for fill in fills):
        return  # spent or paid with on another pair: no path of one market shows that
    end = trade.closed_at or timezone.now()
    path = _path(instrument, trade, end, fills)
    if path is None or not fills:
        return
    found = excursion(
        [Execution(to_seconds(f.time), f.quantity * sign[f.side], f.price) for f in fills], path
    )
    unit = trade.quote_rate
    trade.worst, trade.best = rounded(found.mae * unit), rounded(found.mfe * unit)
    if trade.closed_at is not None:
        efficiency = exit_efficiency(trade.gross / unit, found)
        if not isinstance(efficiency, Undefined):
            limit = Decimal(10) ** 5
            trade.efficiency = max(-limit, min(limit, efficiency)).quantize(Decimal("1e-6"))


def _is_alike(fill: Fill, trade: Trade) -> bool:
    """Priced in the same as the trade's own market: dollar coins are one."""
    return fill.symbol == trade.symbol or (fill.quote in DOLLARS and trade.quote_rate == 1)


def _stamp_after(instrument: Instrument, trade: Trade, covered_to_ms: int) -> None:
    trade.after_5m = trade.after_1h = None
    if trade.closed_at is None or trade.exit_price is None:
        return
    for name, length in (("after_5m", timedelta(minutes=5)), ("after_1h", AFTER_EXIT)):
        first = to_seconds(trade.closed_at) + 1
        end_ms = to_ms(trade.closed_at + length)
        if end_ms > covered_to_ms:
            continue
        span = reading.read_span(instrument, "1s", first * 1000, end_ms)
        if span.is_whole:
            found = after_exit(
                trade.direction == "LONG",
                trade.exit_price / trade.quote_rate,
                trade.quantity,
                _spans(span.bars),
            )
            setattr(trade, name, rounded(found.mfe * trade.quote_rate))


def _path(
    instrument: Instrument, trade: Trade, end: datetime, fills: Sequence[Fill]
) -> list[Span] | None:
    """None where a part of it is not covered."""
    start_ms, end_ms = to_ms(trade.opened_at), to_ms(end)
    if end_ms - start_ms <= SECONDS_UP_TO / timedelta(milliseconds=1):
        span = reading.read_span(instrument, "1s", start_ms // 1000 * 1000, end_ms)
        return _spans(span.bars) if span.is_whole else None
    minutes = reading.read_span(instrument, "1m", start_ms // MINUTE_MS * MINUTE_MS, end_ms)
    if not minutes.is_whole:
        return None
    busy = {to_seconds(fill.time) // 60 * 60 for fill in fills}
    found = [item for item in _spans(minutes.bars) if item.second not in busy]
    for minute in busy:
        span = reading.read_span(instrument, "1s", minute * 1000, minute * 1000 + MINUTE_MS)
        if not span.is_whole:
            return None
        found += _spans(span.bars)
    return sorted(found)


# --- bars ---------------------------------------------------------------------------------------


def _second(instrument: Instrument, bar: Bar) -> flow.Second:
    return flow.Second(
        bar.time,
        decimal(bar.quote_buy, QUOTE_PLACES),
        decimal(bar.quote_sell, QUOTE_PLACES),
        band_deltas(bar, instrument.band_set),
    )


def _spans(bars: Iterable[Bar]) -> list[Span]:
    return [Span(bar.time, decimal(bar.low), decimal(bar.high)) for bar in bars]


def _best_before(bars: Sequence[Bar]) -> tuple[Decimal | None, Decimal | None]:
    for bar in reversed(bars):
        if bar.bid and bar.ask:
            return decimal(bar.bid), decimal(bar.ask)
    return None, None


def _day_range(
    instrument: Instrument, fill: Fill, seconds: Sequence[Bar]
) -> tuple[Decimal | None, Decimal | None]:
    """High and low of the UTC day before the fill; None where the day is not covered so far."""
    minute_ms = to_ms(fill.time) // MINUTE_MS * MINUTE_MS
    day_ms = minute_ms // 86_400_000 * 86_400_000
    span = reading.read_span(instrument, "1m", day_ms, minute_ms)
    if not span.is_whole:
        return None, None
    own = [bar for bar in seconds if bar.time * 1000 >= minute_ms]
    prices = [(bar.low, bar.high) for bar in [*span.bars, *own] if bar.high]
    if not prices:
        return None, None
    return decimal(max(high for _, high in prices)), decimal(min(low for low, _ in prices))


def _as_json(window: flow.Window) -> dict[str, object]:
    return {
        "buy": plain(window.buy),
        "sell": plain(window.sell),
        "delta": plain(window.delta),
        "slope": plain(window.slope.quantize(Decimal("1e-8"))),
        "bands": {name: plain(delta) for name, delta in window.bands.items()},
    }


def _late() -> datetime:
    """What ended before is looked at once in so long: a later import may have covered it."""
    return timezone.now() - LATE_UP_TO


def _before() -> datetime:
    return timezone.now() - AGAIN_AFTER
