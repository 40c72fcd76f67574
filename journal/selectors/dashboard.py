"""What the home page shows, in a handful of queries however many trades there are."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.filters import TradeFilter
from journal.metrics.days import day_of
from journal.models import Annotation, Difference, Preferences
from journal.selectors.ends import BY_CLOSING, first_of
from journal.selectors.scope import Scope
from journal.selectors.sums import (
    DayAndFlow,
    Sums,
    of_days,
    of_flows,
    sums_by_day_and_flow,
    total,
)
from journal.selectors.trades import Line, with_notes

LAST_TRADES = 8
ZERO = Decimal(0)


@dataclass(frozen=True)
class Point:
    """Cumulative net at a day's end, and how far it is below its highest so far."""

    day: date
    net: Decimal
    equity: Decimal
    drawdown: Decimal


@dataclass(frozen=True)
class Dashboard:
    today: Sums
    week: Sums
    month: Sums
    all_time: Sums
    parts: dict[DayAndFlow, Sums]
    days: dict[date, Sums]
    curve: list[Point]
    flow: dict[str, Sums]
    last: list[Line]
    review_count: int
    # assets compared, and how many of them differ
    compared: int
    differences: int
    accounts: int
    this_day: date


def dashboard(user: User, trade_filter: TradeFilter, chosen: Preferences) -> Dashboard:
    """Of what matches the filter."""
    scope = Scope(user, trade_filter, chosen)
    parts = sums_by_day_and_flow(scope)
    days = of_days(parts)
    today = day_of(timezone.now(), chosen.tzinfo, time(chosen.day_start))
    monday = today - timedelta(days=today.weekday())
    done = Annotation.objects.filter(user=user, reviewed_at__isnull=False).values("trade_key")
    # notes are few beside trades
    reviewed = scope.trades.filter(key__in=done).count()
    all_time = total(days.values())
    compared = Difference.objects.visible_to(user).of_account(trade_filter.account)
    off = compared.exclude(cause="").exclude(cause="rounding")
    return Dashboard(
        today=days.get(today, Sums()),
        week=total(day_sums for day, day_sums in days.items() if monday <= day <= today),
        month=total(
            day_sums
            for day, day_sums in days.items()
            if (day.year, day.month) == (today.year, today.month)
        ),
        all_time=all_time,
        parts=parts,
        days=days,
        curve=curve(days),
        flow=of_flows(parts),
        last=with_notes(user, first_of(scope.trades, user, BY_CLOSING, LAST_TRADES)),
        review_count=max(0, all_time.count + all_time.unpriced - reviewed),
        compared=compared.count(),
        differences=off.count(),
        accounts=ExchangeAccount.objects.visible_to(user).count(),
        this_day=today,
    )


def curve(days: dict[date, Sums]) -> list[Point]:
    """Net PnL added up from 0, and its drawdown in money."""
    equity = highest = ZERO
    points = []
    for day, day_sums in days.items():
        equity += day_sums.net
        highest = max(highest, equity)
        points.append(Point(day, day_sums.net, equity, equity - highest))
    return points
