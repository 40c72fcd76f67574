"""Whose turn it is: fills of a market that wait for a stage, in the order of the contract."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Abs

from accounts.models import ExchangeAccount
from journal.models import Fill, FillFlow, Trade, TradeFill
from journal.models.guests import accounts_copied
from journal.planner.needs import Life
from lib.dates import to_seconds
from lib.parking import Parking
from market.jobs.guarding import each

NEWEST_TRADES = 100
_parked = Parking(first=60.0, longest=86_400.0)


class Turn:
    """Fills of one stage: those of the newest hundred trades of each account first, then by what
    their trade has brought or cost, then the rest, newest first."""

    SOURCES: ClassVar = ("_newest", "_by_net", "_rest")

    def __init__(
        self,
        stage: FillFlow.Stage,
        market: str,
        now: datetime,
        *,
        since: datetime | None = None,
    ):
        """`since`: nobody asks for older ones."""
        self._ready = Q(flow__stage=stage, market=market)
        self._ready &= Q(flow__again_at=None) | Q(flow__again_at__lte=now)
        if since is not None:
            self._ready &= Q(time__gte=since)
        self._copied = list(accounts_copied().values_list("pk", flat=True))

    def fills(self, count: int) -> list[Fill]:
        by_id: dict[int, Fill] = {}
        if not self._all().exists():
            return []
        for source in self.SOURCES:
            left = count - len(by_id)
            if left > 0:
                chosen = getattr(self, source)(left)
                by_id |= {fill.pk: fill for fill in chosen if fill.pk not in by_id}
        return list(by_id.values())[:count]

    def _all(self) -> QuerySet[Fill]:
        fills = Fill.objects.filter(self._ready, account__venue=settings.VENUE)
        return fills.exclude(account__in=self._copied)

    def _newest(self, count: int) -> list[Fill]:
        waiting = self._all().order_by().values("account")
        accounts = ExchangeAccount.objects.filter(pk__in=waiting).order_by("pk")
        chosen = each(
            "planner, account",
            accounts,
            lambda account: self._newest_of(account, count),
            name_of=lambda account: account.pk,
            parked=_parked,
        )
        fills = [fill for of_account in chosen for fill in of_account]
        return sorted(fills, key=lambda fill: fill.time, reverse=True)[:count]

    def _newest_of(self, account: ExchangeAccount, count: int) -> list[Fill]:
        newest = Trade.objects.filter(account=account, kind=Trade.Kind.TRADE)
        ids = list(newest.order_by("-opened_at").values_list("pk", flat=True)[:NEWEST_TRADES])
        mine = self._all().filter(trade_fills__trade__in=ids).order_by("-time").distinct()
        return list(mine[:count])

    def _by_net(self, count: int) -> list[Fill]:
        parts = TradeFill.objects.filter(fill__in=self._all().order_by().values("pk"))
        ordered = parts.order_by(Abs("trade__net").desc(), "-fill__time").select_related("fill")
        return [part.fill for part in ordered[:count]]

    def _rest(self, count: int) -> list[Fill]:
        return list(self._all().order_by("-time")[:count])


def lives_of(fills: list[Fill]) -> dict[int, list[Life]]:
    """By fill: the trades that it belongs to."""
    parts = TradeFill.objects.filter(fill__in=fills).select_related("trade")
    by_trade: dict[int, list[int]] = {}
    trades: dict[int, Trade] = {}
    for part in parts:
        by_trade.setdefault(part.trade_id, []).append(part.fill_id)
        trades[part.trade_id] = part.trade
    times = TradeFill.objects.filter(trade__in=trades).values_list("trade_id", "fill__time")
    moments: dict[int, list[int]] = {}
    for trade_id, time in times:
        moments.setdefault(trade_id, []).append(to_seconds(time))
    lives: dict[int, list[Life]] = {}
    for trade_id, fill_ids in by_trade.items():
        trade = trades[trade_id]
        closed = to_seconds(trade.closed_at) if trade.closed_at else None
        life = Life(to_seconds(trade.opened_at), closed, sorted(moments[trade_id]))
        for fill_id in fill_ids:
            lives.setdefault(fill_id, []).append(life)
    return lives
