"""Breakdowns of trades: one row a group, with its size and how sure one may be of it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from journal.metrics import trades as metrics
from journal.metrics.days import day_of
from journal.metrics.spread import Spread, Z, spread
from journal.metrics.undefined import Metric, Undefined
from journal.models import Annotation, Preferences, Trade
from journal.selectors.scope import counted
from journal.selectors.sums import Sums

ZERO = Decimal(0)
FEW = 30


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


@dataclass(frozen=True)
class Group:
    """`low` and `high` bound the mean net with 95 % (normal, from the sample's deviation)."""

    name: str
    count: int
    net: Decimal
    mean: Decimal
    low: Decimal | None
    high: Decimal | None
    win_rate: Metric
    win_low: Decimal
    win_high: Decimal
    profit_factor: Metric
    payoff: Metric
    mean_r: Metric
    r_count: int
    fees: Decimal
    hold: timedelta

    @property
    def is_few(self) -> bool:
        return self.count < FEW

    @property
    def crosses_zero(self) -> bool:
        return Spread(self.mean, self.low, self.high).crosses_zero


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
    found = counted(trades).filter(net_money__isnull=False)
    found = found.order_by("closed_at", "pk")
    return _counted([_row(values, notes) for values in found.values_list(*names)], chosen)


def in_unit(rows: Sequence[Row], chosen: Preferences) -> list[Row]:
    """Results in the unit that the reader has chosen, in the place of `net`: per cent of what was
    put in, or R of the trades with a stop."""
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
        day = _day(row.opened_at, chosen)
        days[day] = days.get(day, 0) + 1
        counts[row.account + row.key] = streak, days[day]
    return [
        row._replace(after_loss=losses, of_day=number)
        for row in rows
        for losses, number in [counts[row.account + row.key]]
    ]


def _day(moment: datetime, chosen: Preferences) -> date:
    return day_of(moment, chosen.tzinfo, time(chosen.day_start))


def _row(values: tuple[Any, ...], notes: dict[str, Annotation]) -> Row:
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
    r = None
    own_stop = note.initial_stop if note else None
    stop = placed_stop if own_stop is None else own_stop
    own_target = note.planned_target if note else None
    target = placed_target if own_target is None else own_target
    if stop is not None:
        measured = metrics.r_multiple(net, entry, stop * quote_rate, quantity)
        r = None if isinstance(measured, Undefined) else measured
    risk = None if stop is None else abs(entry - stop * quote_rate) * quantity
    kept = None
    if placed_stop is not None and stop_moves in {"away", "both"} and worst is not None and rate:
        first_risk = abs(entry - placed_stop * quote_rate) * quantity
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


# --- dimensions ---------------------------------------------------------------------------------

Names = Callable[[Row, Preferences], Sequence[str]]
NONE = "–"


def _hour(row: Row, chosen: Preferences) -> str:
    return f"{row.opened_at.astimezone(chosen.tzinfo).hour:02d}:00"


def _weekday(row: Row, chosen: Preferences) -> str:
    days = (
        _("Monday"),
        _("Tuesday"),
        _("Wednesday"),
        _("Thursday"),
        _("Friday"),
        _("Saturday"),
        _("Sunday"),
    )
    at = _day(row.opened_at, chosen).weekday()
    return f"{at + 1} {days[at]}"


def _session(row: Row, chosen: Preferences) -> str:
    """By UTC: Asia 0-8, Europe 8-14, America 14-22, the rest between."""
    hour = row.opened_at.hour
    if hour < 8:
        return _("Asia")
    if hour < 14:
        return _("Europe")
    return _("America") if hour < 22 else _("Late")


def _bucket(value: Decimal | float, edges: Sequence[float], unit: str) -> str:
    """`1 10–100 $`: a number in front keeps them in order."""
    at = next((n for n, edge in enumerate(edges) if value < edge), len(edges))
    low = f"{edges[at - 1]:g}" if at else ""
    high = f"{edges[at]:g}" if at < len(edges) else ""
    span = f"{low}–{high}" if low and high else f"< {high}" if high else f"≥ {low}"
    return f"{at + 1}. {span} {unit}".strip()


HOLDS = (
    (1, "1 m"),
    (5, "5 m"),
    (15, "15 m"),
    (60, "1 h"),
    (240, "4 h"),
    (1440, "1 d"),
    (4320, "3 d"),
    (10_080, "1 w"),
)


def holding(row: Row) -> str:
    minutes = (row.closed_at - row.opened_at) / timedelta(minutes=1)
    for number, (edge, name) in enumerate(HOLDS):
        if minutes < edge:
            return f"{number + 1}. < {name}"
    return f"{len(HOLDS) + 1}. ≥ {HOLDS[-1][1]}"


def maker_bucket(row: Row) -> str:
    return _bucket(row.maker_share * 100, (1, 50, 99), "%")


# name -> (label, the groups that a trade belongs to)
DIMENSIONS: dict[str, tuple[object, Names]] = {
    "account": (gettext_lazy("Account"), lambda r, p: (r.account,)),
    "market": (gettext_lazy("Market"), lambda r, p: (r.market,)),
    "symbol": (gettext_lazy("Symbol"), lambda r, p: (r.symbol,)),
    "base": (gettext_lazy("Coin"), lambda r, p: (r.base,)),
    "direction": (gettext_lazy("Direction"), lambda r, p: (r.direction,)),
    "hour": (gettext_lazy("Hour of opening"), lambda r, p: (_hour(r, p),)),
    "weekday": (gettext_lazy("Weekday"), lambda r, p: (_weekday(r, p),)),
    "month": (
        gettext_lazy("Month"),
        lambda r, p: (f"{_day(r.closed_at, p):%Y-%m}",),
    ),
    "session": (gettext_lazy("Session"), lambda r, p: (_session(r, p),)),
    "hold": (gettext_lazy("Holding time"), lambda r, p: (holding(r),)),
    "size": (
        gettext_lazy("Size"),
        lambda r, p: (_bucket(r.size, (100, 500, 1000, 2500, 5000, 10_000, 50_000), ""),),
    ),
    "fills": (
        gettext_lazy("Number of fills"),
        lambda r, p: (_bucket(r.fill_count, (3, 5, 10, 20, 50), ""),),
    ),
    "maker": (gettext_lazy("Maker share"), lambda r, p: (maker_bucket(r),)),
    "flow": (gettext_lazy("Flow at entry"), lambda r, p: (str(Trade.Against(r.flow).label),)),
    "efficiency": (
        gettext_lazy("Exit efficiency"),
        lambda r, p: (
            NONE if r.efficiency is None else _bucket(r.efficiency * 100, (0, 25, 50, 75), "%"),
        ),
    ),
    "stop": (
        gettext_lazy("What became of the stop"),
        lambda r, p: (str(Trade.StopMoves(r.stop_moves).label),),
    ),
    "streak": (
        gettext_lazy("Losses in a row before"),
        lambda r, p: (str(min(r.after_loss, 5)) + ("+" if r.after_loss >= 5 else ""),),
    ),
    "of_day": (
        gettext_lazy("Trade of the day"),
        lambda r, p: (str(min(r.of_day, 10)) + ("+" if r.of_day >= 10 else ""),),
    ),
    "setup": (gettext_lazy("Setup"), lambda r, p: (r.setup or NONE,)),
    "tag": (gettext_lazy("Tag"), lambda r, p: r.tags or (NONE,)),
    "mistake": (gettext_lazy("Mistake"), lambda r, p: r.mistakes or (NONE,)),
    "emotion": (gettext_lazy("Emotion"), lambda r, p: (r.emotion or NONE,)),
    "rating": (gettext_lazy("Rating"), lambda r, p: (str(r.rating or NONE),)),
    "reviewed": (
        gettext_lazy("Reviewed"),
        lambda r, p: (_("yes") if r.is_reviewed else _("no"),),
    ),
}


def breakdown(rows: Sequence[Row], dimension: str, chosen: Preferences) -> list[Group]:
    """One group a value. A trade with two tags is in two groups. Raises KeyError for an unknown
    dimension."""
    names = DIMENSIONS[dimension][1]
    found: dict[str, list[Row]] = {}
    for row in rows:
        for name in names(row, chosen):
            found.setdefault(name, []).append(row)
    return [group(name, found[name]) for name in sorted(found)]


def by_month(rows: Sequence[Row], days: Mapping[date, Sums], chosen: Preferences) -> list[Group]:
    """As a breakdown, but each month's net and fees are what was earned and paid in it, by open
    trades and by what is kept beside too; counts and rates are of the trades that closed in it."""
    months: dict[str, list[Sums]] = {}
    for day, earned in days.items():
        months.setdefault(f"{day:%Y-%m}", []).append(earned)
    groups = {found.name: found for found in breakdown(rows, "month", chosen)}
    return [
        replace(
            groups.get(name) or nothing(name),
            net=sum((part.net for part in parts), ZERO),
            fees=sum((part.fees for part in parts), ZERO),
        )
        for name, parts in sorted(months.items())
    ]


def nothing(name: str) -> Group:
    """A group without a closed trade."""
    none = Undefined.NOTHING
    return Group(
        name=name,
        count=0,
        net=ZERO,
        mean=ZERO,
        low=None,
        high=None,
        win_rate=none,
        win_low=ZERO,
        win_high=Decimal(1),
        profit_factor=none,
        payoff=none,
        mean_r=none,
        r_count=0,
        fees=ZERO,
        hold=timedelta(),
    )


def matrix(
    rows: Sequence[Row], down: str, across: str, chosen: Preferences
) -> tuple[list[str], list[tuple[str, list[Group | None]]]]:
    """(columns, rows of cells); a cell without trades is None."""
    first, second = DIMENSIONS[down][1], DIMENSIONS[across][1]
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for a in first(row, chosen):
            for b in second(row, chosen):
                cells.setdefault((a, b), []).append(row)
    columns = sorted({b for _, b in cells})
    lines = sorted({a for a, _ in cells})
    return columns, [
        (a, [group(b, cells[a, b]) if (a, b) in cells else None for b in columns]) for a in lines
    ]


def group(name: str, rows: Sequence[Row]) -> Group:
    nets = [row.net for row in rows]
    rs = [row.r for row in rows if row.r is not None]
    net = sum(nets, ZERO)
    mean = net / len(nets)
    around = _spread(nets, mean)
    wins = sum(value > 0 for value in nets)
    low, high = wilson(wins, len(nets))
    return Group(
        name=name,
        count=len(nets),
        net=net,
        mean=mean,
        low=around.low,
        high=around.high,
        win_rate=metrics.win_rate(nets),
        win_low=low,
        win_high=high,
        profit_factor=metrics.profit_factor(nets),
        payoff=metrics.payoff_ratio(nets),
        mean_r=metrics.expectancy_r(rs),
        r_count=len(rs),
        fees=sum((row.fees for row in rows), ZERO),
        hold=sum((row.closed_at - row.opened_at for row in rows), timedelta()) / len(rows),
    )


def _spread(nets: Sequence[Decimal], mean: Decimal) -> Spread:
    if len(nets) < 2:
        return spread(mean, None, len(nets))
    variance = sum(((value - mean) ** 2 for value in nets), ZERO) / (len(nets) - 1)
    return spread(mean, variance, len(nets))


def wilson(wins: int, count: int) -> tuple[Decimal, Decimal]:
    """95 % range of a share (Wilson 1927), which stays within 0 and 1 for few trades."""
    if not count:
        return ZERO, Decimal(1)
    share, z = wins / count, float(Z)
    z2 = z * z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    places = Decimal("0.0001")
    return (
        max(ZERO, Decimal(str(middle - half))).quantize(places),
        min(Decimal(1), Decimal(str(middle + half))).quantize(places),
    )
