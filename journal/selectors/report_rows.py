"""Closed trades as far as reports look at them: one row a trade."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.models import User
from journal.metrics.days import day_of
from journal.metrics.trades import initial_risk
from journal.models import Annotation, Preferences, Trade
from journal.selectors.scope import counted


class Row(NamedTuple):
    """A closed trade, as far as reports look at it; money in the report currency."""

    id: int
    key: str
    account: str
    market: str
    symbol: str
    base: str
    quote: str
    direction: str
    opened_at: datetime
    closed_at: datetime
    net: Decimal
    fees: Decimal
    size: Decimal
    r: Decimal | None
    flow: str
    maker_share: Decimal
    fill_count: int
    efficiency: Decimal | None
    stop_moves: str
    # net as it would be, had the first stop stayed that was reached after it was moved; None: it
    # was not moved away, or never reached
    kept: Decimal | None
    # worst, best and within an hour of the exit, by the risk of the first stop
    worst_r: Decimal | None
    best_r: Decimal | None
    after_r: Decimal | None
    # a stop and a target were set
    has_target: bool
    flow_share: Decimal | None
    after_loss: int
    of_day: int
    setup: str
    tags: tuple[str, ...]
    mistakes: tuple[str, ...]
    emotion: str
    rating: int | None
    is_reviewed: bool


def load(user: User, trades: QuerySet[Trade], chosen: Preferences) -> list[Row]:
    """Closed trades with a rate, oldest first, in two queries."""
    notes: dict[str, Annotation] = {}
    written = Annotation.objects.filter(user=user).order_by("pk")
    for note in written.select_related("setup").prefetch_related("tags"):
        notes.setdefault(note.trade_key, note)
    names = (
        "id",
        "key",
        "account__label",
        "market",
        "symbol",
        "base",
        "quote",
        "direction",
        "opened_at",
        "closed_at",
        "net",
        "net_money",
        "fees_money",
        "size_money",
        "entry_price",
        "quantity",
        "flow",
        "flow_share",
        "maker_share",
        "fill_count",
        "efficiency",
        "quote_rate",
        "placed_stop",
        "placed_target",
        "stop_moves",
        "gross_money",
        "rate",
        "worst",
        "best",
        "after_1h",
    )
    closed = counted(trades).filter(net_money__isnull=False).order_by("closed_at", "pk")
    return _counted([_row(values, notes, chosen) for values in closed.values_list(*names)], chosen)


def in_unit(rows: Sequence[Row], chosen: Preferences) -> list[Row]:
    """Results in the unit that the reader has chosen, in the place of `net`: per cent of what was
    put in, or R of the trades with a risk."""
    if chosen.unit == Preferences.Unit.RISK:
        return [
            row._replace(net=row.r, kept=_scaled(row.kept, row.r / row.net if row.net else None))
            for row in rows
            if row.r is not None
        ]
    if chosen.unit == Preferences.Unit.PERCENT:
        return [
            row._replace(net=row.net / row.size * 100, kept=_scaled(row.kept, 100 / row.size))
            for row in rows
            if row.size
        ]
    return list(rows)


def _scaled(kept: Decimal | None, factor: Decimal | None) -> Decimal | None:
    return None if kept is None or factor is None else kept * factor


def _counted(rows: Sequence[Row], chosen: Preferences) -> list[Row]:
    """With the losses in a row that had been closed when each was opened, and its number among the
    trades opened on its day. `rows` by closing."""
    streak, at = 0, 0
    days: dict[date, int] = {}
    counts: dict[str, tuple[int, int]] = {}
    for row in sorted(rows, key=lambda row: (row.opened_at, row.key)):
        while at < len(rows) and rows[at].closed_at <= row.opened_at:
            streak = streak + 1 if rows[at].net < 0 else 0
            at += 1
        day = day_in(row.opened_at, chosen)
        days[day] = days.get(day, 0) + 1
        counts[row.account + row.key] = streak, days[day]
    return [
        row._replace(after_loss=losses, of_day=number)
        for row in rows
        for losses, number in [counts[row.account + row.key]]
    ]


def day_in(moment: datetime, chosen: Preferences) -> date:
    """The reader's day, which begins at their hour."""
    return day_of(moment, chosen.tzinfo, time(chosen.day_start))


def _row(values: tuple[Any, ...], notes: dict[str, Annotation], chosen: Preferences) -> Row:
    (
        id,
        key,
        account,
        market,
        symbol,
        base,
        quote,
        direction,
        opened,
        closed,
        net,
        net_money,
        fees,
        size,
        entry,
        quantity,
        flow,
        flow_share,
        maker,
        fills,
        efficiency,
        quote_rate,
        placed_stop,
        placed_target,
        stop_moves,
        gross_money,
        rate,
        worst,
        best,
        after_1h,
    ) = values
    note = notes.get(str(key))
    tags = list(note.tags.all()) if note else []
    own_stop = note.initial_stop if note else None
    stop = placed_stop if own_stop is None else own_stop
    own_target = note.planned_target if note else None
    target = placed_target if own_target is None else own_target
    risk = None if stop is None else initial_risk(entry, stop * quote_rate, quantity)
    r = _by_risk(net, risk or chosen.usual_risk)
    kept = None
    if placed_stop is not None and stop_moves in {"away", "both"} and worst is not None and rate:
        first_risk = initial_risk(entry, placed_stop * quote_rate, quantity)
        if first_risk and worst <= -first_risk:
            # the same fees and funding, and the loss of the first stop
            kept = net_money - gross_money - first_risk * rate
    return Row(
        id=id,
        key=key,
        account=account,
        market=market,
        symbol=symbol,
        base=base,
        quote=quote,
        direction=direction,
        opened_at=opened,
        closed_at=closed,
        net=net_money,
        fees=fees,
        size=size,
        r=r,
        flow=flow,
        maker_share=maker,
        fill_count=fills,
        efficiency=efficiency,
        stop_moves=stop_moves,
        kept=kept,
        worst_r=_by_risk(worst, risk),
        best_r=_by_risk(best, risk),
        after_r=_by_risk(after_1h, risk),
        has_target=stop is not None and target is not None,
        flow_share=flow_share,
        after_loss=0,
        of_day=0,
        setup=note.setup.name if note and note.setup else "",
        tags=tuple(tag.name for tag in tags if tag.kind == "tag"),
        mistakes=tuple(tag.name for tag in tags if tag.kind == "mistake"),
        emotion=note.emotion if note else "",
        rating=note.rating if note else None,
        is_reviewed=bool(note and note.reviewed_at),
    )


def _by_risk(value: Decimal | None, risk: Decimal | None) -> Decimal | None:
    return value / risk if value is not None and risk else None
