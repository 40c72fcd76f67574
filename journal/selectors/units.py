"""The one switch $ / % / R: every figure, axis and heat asks here what it shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import NullIf

from journal.drawings.scales import short
from journal.metrics.spread import Spread, spread
from journal.metrics.undefined import Undefined
from journal.models import Preferences
from journal.risks import WIDE, with_r
from journal.selectors.scope import Scope
from journal.selectors.sums import SampleVariance, Sums
from journal.selectors.trades import Line

Unit = Preferences.Unit
SYMBOLS = {"USD": "$", "EUR": "€", "BTC": "₿"}


def value_of(sums: Sums, chosen: Preferences, *, of_trades: bool = False) -> Decimal | None:
    """A sum in the unit that its reader has chosen; None where that unit knows nothing of it.
    `of_trades`: what the counted closed trades made, without what was earned beside them."""
    if chosen.unit == Unit.PERCENT:
        value = sums.percent
        return None if isinstance(value, Undefined) else value
    if chosen.unit == Unit.RISK:
        return sums.r if sums.r_count else None
    return sums.traded if of_trades else sums.net


def mean_of(sums: Sums, chosen: Preferences) -> Decimal | None:
    """Of a closed trade: money, percent of what was put in, or R of those with a risk."""
    if chosen.unit == Unit.RISK:
        return sums.r / sums.r_count if sums.r_count else None
    if chosen.unit == Unit.PERCENT:
        return value_of(sums, chosen)
    return sums.traded / sums.count if sums.count else None


def axis_words(chosen: Preferences, currency: str) -> Callable[[float], str]:
    """For axes and the ends of lines: short, in the same unit."""
    if chosen.unit == Unit.PERCENT:
        return lambda value: short(value, unit="%")
    if chosen.unit == Unit.RISK:
        return lambda value: short(value, unit="R")
    symbol = SYMBOLS.get(currency, "")
    return lambda value: short(value, before=symbol, unit="" if symbol else f" {currency}")


def line_value(line: Line, chosen: Preferences) -> Decimal | None:
    """A trade's result in the chosen unit; None where it has none."""
    if chosen.unit == Unit.PERCENT:
        return line.percent
    return line.r if chosen.unit == Unit.RISK else line.trade.net_money


def trade_value(scope: Scope) -> "QuerySet[Any]":
    """The scope's closed trades with `value`: their result in the chosen unit."""
    trades = scope.trades.order_by()
    if scope.chosen.unit == Unit.RISK:
        return with_r(trades, scope.chosen.user_id).annotate(value=F("result_by_risk"))
    if scope.chosen.unit == Unit.PERCENT:
        size = NullIf(F("size_money"), Value(Decimal(0), output_field=WIDE))
        share = ExpressionWrapper(F("net_money") / size * 100, output_field=WIDE)
        return trades.annotate(value=share)
    return trades.annotate(value=F("net_money"))


def spreads_by(scope: Scope, field: str) -> dict[str, Spread]:
    """Of the mean result of trades, by the value of a column, in one query."""
    rows = (
        trade_value(scope)
        .filter(value__isnull=False)
        .values(field)
        .annotate(
            mean=Avg("value", output_field=WIDE),
            variance=SampleVariance("value"),
            count=Count("id"),
        )
    )
    return {row[field]: spread(row["mean"], row["variance"], row["count"]) for row in rows}


@dataclass(frozen=True)
class UnitPoint:
    """What was earned up to a day's end, and how far that is below its highest so far."""

    day: date
    value: Decimal
    drawdown: Decimal


def unit_curve(days: Mapping[date, Sums], chosen: Preferences) -> list[UnitPoint]:
    """Money and R are added up; per cent are of all that was put in up to that day."""
    so_far, highest, points = Sums(), Decimal(0), []
    for day, day_sums in days.items():
        so_far += day_sums
        value = value_of(so_far, chosen) or Decimal(0)
        highest = max(highest, value)
        points.append(UnitPoint(day, value, value - highest))
    return points
