"""How much of an account's fills has order flow, what is to come and when, and what is refused."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from journal.models import Fill, FillFlow, Market
from journal.planner import pace
from journal.planner.needs import oldest_of

Stage = FillFlow.Stage
# Seconds a fill of each stage, before anything was measured.
GUESSES = {Stage.TOTAL: 0.1, Stage.SECONDS: 0.15, Stage.BANDS: 1.0}
TOO_OLD = "too_old"
REASONS = {
    "not_told": _("the exchange does not tell this time"),
    "unknown_symbol": _("the exchange does not list this market any more"),
    TOO_OLD: _("older than bands are asked for (FLOW_BACKFILL_DAYS)"),
}


@dataclass
class Covered:
    """Of one account's market. `total` counts fills with any flow, those with bands included."""

    account: str
    label: str
    market: str
    fills: int = 0
    total: int = 0
    bands: int = 0
    waiting: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def market_label(self) -> str:
        return str(Market(self.market).label)

    @property
    def refusals(self) -> list[tuple[Any, int]]:
        """Why, in words, and how many; the most first."""
        counts = sorted(self.refused.items(), key=lambda item: -item[1])
        return [(REASONS.get(reason, reason), count) for reason, count in counts]


def coverage_of(user: User, account: str = "") -> tuple[list[Covered], int]:
    """(rows, seconds until nothing waits any more), of one account or of all."""
    mine: QuerySet[Fill] = Fill.objects.visible_to(user)
    if account:
        mine = mine.filter(account=UUID(account))
    oldest = oldest_of(timezone.now(), settings.FLOW_BACKFILL_DAYS)
    counts = (
        mine.order_by()
        .values(
            "account",
            "market",
            label=F("account__label"),
            stage=F("flow__stage"),
            basis=F("flow__basis"),
            refused=F("flow__refused"),
        )
        .annotate(count=Count("pk"), old=Count("pk", filter=Q(time__lt=oldest)))
    )
    covered: dict[tuple[str, str], Covered] = {}
    for row in counts:
        key = str(row["account"]), row["market"]
        known = covered.setdefault(key, Covered(key[0], row["label"], key[1]))
        _add(known, dict(row))
    rows = sorted(covered.values(), key=lambda item: (item.label, item.market))
    left: dict[str, float] = {}
    for item in rows:
        left[item.market] = left.get(item.market, 0) + item.seconds
    return rows, round(max(left.values(), default=0))  # the markets are asked side by side


def _add(known: Covered, row: dict[str, Any]) -> None:
    count, stage = row["count"], row["stage"] or Stage.TOTAL
    known.fills += count
    known.total += count if row["basis"] else 0
    known.bands += count if row["basis"] in FillFlow.WITH_BANDS else 0
    if stage == Stage.DONE:
        return
    if row["refused"]:
        known.refused[row["refused"]] = known.refused.get(row["refused"], 0) + count
        return
    old = row["old"] if stage == Stage.BANDS else 0
    if old:
        known.refused[TOO_OLD] = known.refused.get(TOO_OLD, 0) + old
    known.waiting += count - old
    known.seconds += (count - old) * _seconds_left(known.market, stage)


def _seconds_left(market: str, stage: str) -> float:
    """What a market's fill of a stage still needs until its bands."""
    order = list(GUESSES)
    ahead = order[order.index(Stage(stage)) :]
    return sum(pace.seconds_a_fill(market, name, GUESSES[name]) for name in ahead)
