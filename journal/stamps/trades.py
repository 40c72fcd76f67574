"""A trade's verdict, extremes and what came behind its exit, from its fills' flow and the path."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from journal.books import bulk
from journal.books.rates import rounded
from journal.metrics import flow
from journal.metrics.excursion import (
    Execution,
    Span,
    after_exit,
    excursion,
    exit_efficiency,
)
from journal.metrics.undefined import Undefined
from journal.models import Fill, FillFlow, Trade, TradeFill
from journal.stamps.around import HOUR, MINUTE, SECOND, Around
from lib.cash import DOLLARS
from lib.dates import ceil_to, floor_to, to_seconds
from lib.decimals import decimal
from market.flow.bars import Bar

AFTER = {"after_5m": 300, "after_1h": 3600}
SIGN = {"BUY": 1, "SELL": -1}
# A path of seconds up to here; longer trades use minutes and hours, and seconds in the minutes
# that have fills.
SECONDS_UP_TO = 6 * HOUR
# The last minutes of an open trade are told by the tape within this.
SETTLED_AFTER = timedelta(minutes=3)
AGAIN_AFTER = timedelta(seconds=30)
EIGHT = Decimal("1e-8")
WRITTEN = [
    "flow",
    "flow_share",
    "flow_window",
    "flow_basis",
    "worst",
    "best",
    "worst_to",
    "best_to",
    "efficiency",
    "after_5m",
    "after_1h",
    "slippage",
    "stamp_due_at",
]


def stamp(around: Around, trade: Trade) -> None:
    """Fill in what is known; what is not stays empty. Its fills' flow is prefetched."""
    parts = list(trade.trade_fills.all())
    _stamp_verdict(trade, [part for part in parts if part.is_entry])
    _stamp_slippage(trade, parts)
    _stamp_excursion(around, trade, [part.fill for part in parts])
    _stamp_after(around, trade)
    trade.stamp_due_at = _due(around, trade)


def write(stamped: Sequence[Trade], due: Mapping[int, datetime | None]) -> list[Trade]:
    """Within a transaction; `due`: since when each was, as it was read. Who was built anew since
    then, or is just now, stays due, and nobody else waits for it. Returns those that were
    written."""
    free = Trade.objects.filter(pk__in=[trade.pk for trade in stamped]).locked_where_free()
    found = Trade.objects.filter(pk__in=free).values_list("pk", "stamp_due_at")
    same = {pk for pk, since in found if since == due[pk]}
    written = [trade for trade in stamped if trade.pk in same]
    bulk.update(written, WRITTEN)
    return written


def shares_of(entries: Sequence[TradeFill], window: str) -> list[tuple[Decimal, Decimal | None]]:
    """(quantity, share of the takers' value on the entry's side); None where it is not known, 0
    where nothing was traded."""
    return [(part.fill.quantity, _share(part.fill, window)) for part in entries]


def window_of(entries: Sequence[TradeFill]) -> str:
    """The first window that all entries have; empty without one."""
    for name in flow.VERDICT_WINDOWS:
        if entries and all(_share(part.fill, name) is not None for part in entries):
            return name
    return ""


def flow_of(fill: Fill) -> FillFlow | None:
    return getattr(fill, "flow", None)


def _share(fill: Fill, window: str) -> Decimal | None:
    fill_flow = flow_of(fill)
    known = fill_flow.windows.get(window) if fill_flow is not None else None
    if not known:
        return None
    buy, sell = Decimal(known["buy"]), Decimal(known["sell"])
    whole = flow.Window(buy, sell, buy - sell, Decimal(0), None)
    return flow.share(whole, fill.side == "BUY") or Decimal(0)


def _stamp_verdict(trade: Trade, entries: Sequence[TradeFill]) -> None:
    window = window_of(entries)
    trade.flow, mean = flow.verdict(shares_of(entries, window) if window else [])
    trade.flow_share = None if mean is None else mean.quantize(EIGHT)
    trade.flow_window, trade.flow_basis = window, ""
    if window:
        order = [value.value for value in FillFlow.Basis]
        bases = [
            fill_flow.basis for part in entries if (fill_flow := flow_of(part.fill)) is not None
        ]
        trade.flow_basis = max(bases, key=order.index)


def _stamp_slippage(trade: Trade, parts: Sequence[TradeFill]) -> None:
    own = [flow_of(part.fill) for part in parts if part.fill.base == trade.base]
    costs = [fill_flow.slippage if fill_flow else None for fill_flow in own]
    known = [cost for cost in costs if cost is not None]
    is_whole = bool(known) and len(known) == len(costs)
    trade.slippage = rounded(sum(known, Decimal(0)) * trade.quote_rate) if is_whole else None


def _stamp_excursion(around: Around, trade: Trade, fills: Sequence[Fill]) -> None:
    trade.worst = trade.best = trade.worst_to = trade.best_to = trade.efficiency = None
    held = sum((fill.quantity * SIGN[fill.side] for fill in fills), Decimal(0))
    is_flat = abs(held) * 100 <= trade.quantity  # but for fees in the coin
    if trade.by_hand == Trade.ByHand.SPLIT or ((trade.by_hand or trade.is_aside) and not is_flat):
        return  # its fills alone do not say what was held
    if any(fill.base != trade.base or not _is_alike(fill, trade) for fill in fills):
        return  # spent or paid with on another pair: no path of one market shows that
    times = sorted({to_seconds(fill.time) for fill in fills})
    path = _path(around, trade, times) if fills else None
    if path is None:
        return
    executions = [Execution(to_seconds(f.time), f.quantity * SIGN[f.side], f.price) for f in fills]
    extremes = excursion(executions, path)
    unit = trade.quote_rate
    trade.worst, trade.best = rounded(extremes.mae * unit), rounded(extremes.mfe * unit)
    if any(span.seconds > SECOND and _holds(span, times) for span in path):
        wide = excursion(executions, path, with_own=True)
        trade.worst_to, trade.best_to = rounded(wide.mae * unit), rounded(wide.mfe * unit)
    if trade.closed_at is not None:
        efficiency = exit_efficiency(trade.gross / unit, extremes)
        if not isinstance(efficiency, Undefined):
            limit = Decimal(10) ** 5
            trade.efficiency = max(-limit, min(limit, efficiency)).quantize(Decimal("1e-6"))


def _is_alike(fill: Fill, trade: Trade) -> bool:
    """Priced in the same as the trade's own market: dollar coins are one."""
    return fill.symbol == trade.symbol or (fill.quote in DOLLARS and trade.quote_rate == 1)


def _holds(span: Span, times: Iterable[int]) -> bool:
    return any(span.second <= at < span.end for at in times)


def _path(around: Around, trade: Trade, times: Sequence[int]) -> list[Span] | None:
    """None where a part of it is not known."""
    start, end = to_seconds(trade.opened_at), _end_of(around, trade, times)
    if end - start <= SECONDS_UP_TO:
        bars = around.seconds(start, max(end, start + 1))
        if bars is not None:
            return _spans(bars, SECOND)
    spans: list[Span] = []
    busy_hours = {floor_to(at, HOUR) for at in [*times, start, end]}
    for hour in range(floor_to(start, HOUR), ceil_to(end, HOUR), HOUR):
        if hour not in busy_hours:
            hours = around.hours(hour, hour + HOUR)
            if hours is None:
                return None
            spans += _spans(hours, HOUR)
            continue
        minutes = _minutes(around, max(hour, start), min(hour + HOUR, end), times)
        if minutes is None:
            return None
        spans += minutes
    return spans


def _minutes(around: Around, start: int, end: int, times: Sequence[int]) -> list[Span] | None:
    """A part of an hour: minutes, but for those with fills where their seconds are known."""
    spans: list[Span] = []
    busy = {floor_to(at, MINUTE) for at in times if start - MINUTE < at < end + MINUTE}
    for minute in range(floor_to(start, MINUTE), ceil_to(end, MINUTE), MINUTE):
        if minute in busy:
            seconds = around.seconds(minute, minute + MINUTE)
            if seconds is not None:
                spans += _spans(seconds, SECOND)
                continue
        bars = around.minutes(minute, minute + MINUTE)
        if bars is None:
            return None
        spans += _spans(bars, MINUTE)
    return spans


def _end_of(around: Around, trade: Trade, times: Sequence[int]) -> int:
    """Of an open trade what is known by now."""
    if trade.closed_at is not None:
        return to_seconds(trade.closed_at) + 1
    last = times[-1] + 1 if times else to_seconds(trade.opened_at)
    return max(last, around.live_to or last)


def _stamp_after(around: Around, trade: Trade) -> None:
    trade.after_5m = trade.after_1h = None
    if trade.closed_at is None or trade.exit_price is None:
        return
    second = to_seconds(trade.closed_at)
    for name, length in AFTER.items():
        bars = around.seconds(second + 1, second + length)
        if bars is None:  # from the next whole minute on
            minute = floor_to(second, MINUTE) + MINUTE
            bars = around.minutes(minute, minute + length)
        if bars is not None:
            after = after_exit(
                trade.direction == "LONG",
                trade.exit_price / trade.quote_rate,
                trade.quantity,
                _spans(bars, SECOND),
            )
            setattr(trade, name, rounded(after.mfe * trade.quote_rate))


def _due(around: Around, trade: Trade) -> datetime | None:
    """When it may be known better by itself; what is fetched later makes it due anyway."""
    now = timezone.now()
    if trade.closed_at is None:
        return now + AGAIN_AFTER if around.live_to is not None else None
    settled = trade.closed_at + timedelta(seconds=AFTER["after_1h"]) + SETTLED_AFTER
    return None if now > settled else min(settled, now + 10 * AGAIN_AFTER)


def _spans(bars: Iterable[Bar], length: int) -> list[Span]:
    return [Span(bar.time, decimal(bar.low), decimal(bar.high), length) for bar in bars if bar.high]
