"""Results and distances of accounts, every few seconds for those who asked for them."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import time as clock_time
from decimal import Decimal
from functools import partial

from django.utils import timezone

from accounts.models import User
from alerts.conditions.kinds import Scope
from alerts.evaluation import rows
from alerts.evaluation.rows import Row
from alerts.evaluation.values import Values
from alerts.services.firing import Told
from journal.filters import TradeFilter
from journal.metrics.days import day_of
from journal.models import FuturesPosition
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope as Filtered
from journal.selectors.sums import sums_by_day, total
from journal.services.valuing import Valued, value_positions
from lib.parking import Parking
from market.jobs import guarding

EVERY_SECONDS = 5.0
ZERO = Decimal(0)
Figure = tuple[Decimal, dict[str, str]]


class Figures:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values = Values()
        self._parked = Parking()
        self._looked_at = float("-inf")

    def round(self) -> None:
        """Look once, if it is time."""
        if self._clock() - self._looked_at < EVERY_SECONDS:
            return
        self._looked_at = self._clock()
        by_user: dict[int, list[Row]] = defaultdict(list)
        for row in self._values.keep(rows.of_scopes(Scope.FIGURES)):
            by_user[row.user_id].append(row)
        guarding.each(
            "figures",
            User.objects.filter(pk__in=by_user),
            lambda user: self._look(user, by_user[user.pk]),
            name_of=lambda user: user.pk,
            parked=self._parked,
        )

    def _look(self, user: User, its_rows: list[Row]) -> None:
        open_ones = value_positions(user) if _needs_positions(its_rows) else []
        at_ms = int(time.time() * 1000)
        for row in its_rows:
            figure = _figure(user, row, open_ones)
            if figure is None:
                continue
            value, words = figure
            facts = {"unit": row.condition["unit"], "path": "/", **words}
            self._values.feed(row, value, at_ms, partial(_told, at_ms, facts))


def _told(at_ms: int, facts: dict[str, str], text: str) -> Told:
    return Told(at_ms, text, {**facts, "value": text})


def _needs_positions(its_rows: list[Row]) -> bool:
    return any(row.kind == "pnl_open" for row in its_rows)


def _figure(user: User, row: Row, open_ones: list[Valued]) -> Figure | None:
    """(value, words of the sentence); None where it is not known."""
    account = row.condition.get("account", "")
    if row.kind == "pnl_day":
        return result_of_day(user, account), {}
    if row.kind == "pnl_open":
        own = [item for item in open_ones if account in {"", str(item.position.account_id)}]
        value = open_result(own, row.condition["unit"])
        return None if value is None else (value, {})
    return nearest_liquidation(user, account, row.condition["unit"])


def result_of_day(user: User, account: str) -> Decimal:
    """What the user's own day has earned so far, in the report currency."""
    chosen = preferences_of(user)
    today = day_of(timezone.now(), chosen.tzinfo, clock_time(chosen.day_start))
    trade_filter = replace(TradeFilter(), account=account, from_day=today, to_day=today)
    return total(sums_by_day(Filtered(user, trade_filter, chosen)).values()).net


def open_result(valued: list[Valued], unit: str) -> Decimal | None:
    """In the report currency, or in percent of what the positions cost; None while something is
    not priced."""
    if any(item.unrealized_money is None or item.unrealized is None for item in valued):
        return None
    if unit == "money":
        return sum((item.unrealized_money or ZERO for item in valued), ZERO)
    cost = sum((abs(_cost(item)) for item in valued), ZERO)
    gained = sum((item.unrealized or ZERO for item in valued), ZERO)
    return 100 * gained / cost if cost else ZERO


def _cost(item: Valued) -> Decimal:
    position = item.position
    if position.cost:
        return Decimal(position.cost)
    return Decimal(position.quantity) * Decimal(position.average_price or 0)


def nearest_liquidation(user: User, account: str, unit: str) -> Figure | None:
    """Of all futures positions the one whose mark is nearest to its liquidation."""
    positions = FuturesPosition.objects.visible_to(user).exclude(liquidation_price=0)
    if account:
        positions = positions.filter(account=account)
    nearest: Figure | None = None
    for position in positions.select_related("account"):
        if not position.mark_price:
            continue
        distance = abs(position.mark_price - position.liquidation_price)
        if unit == "percent":
            distance = 100 * distance / position.mark_price
        if nearest is None or distance < nearest[0]:
            nearest = distance, {"symbol": position.symbol, "account": position.account.label}
    return nearest
