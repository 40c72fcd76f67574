"""What a filter lets through: trades for statistics, matches and payments for sums of money.

Money counts when it was earned, flat or not (money.md 2.4): a filter's days are those of the
matches and payments themselves, and of trades those of their closing.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from journal.filters import TradeFilter, day_start, next_day
from journal.models import Payment, Preferences, Realized, Trade


@dataclass(frozen=True)
class Scope:
    user: User
    asked: TradeFilter
    chosen: Preferences

    @property
    def trades(self) -> "QuerySet[Trade]":
        """Closed trades that count: neither taken from the stack, nor of unknown cost, nor taken
        along by a withdrawal."""
        trades = replace(self.asked, state="closed").apply(self.user, self.chosen)
        if self.asked.kind in {"stack", "all"}:  # asked for
            return trades
        return counted(trades)

    @property
    def matches(self) -> "QuerySet[Realized]":
        matches = Realized.objects.visible_to(self.user).of_trades()
        return self._limited(matches, "closed_at")

    @property
    def tax_matches(self) -> "QuerySet[Realized]":
        """By the method over whole coins: no trade is asked for."""
        return self._of_no_trade(Realized.objects.visible_to(self.user).of_tax())

    @property
    def tax_report(self) -> "QuerySet[Realized]":
        """The same by the costs that were stated of deposits."""
        return self._of_no_trade(Realized.objects.visible_to(self.user).of_tax_report())

    def _of_no_trade(self, matches: "QuerySet[Realized]") -> "QuerySet[Realized]":
        asked = TradeFilter(
            account=self.asked.account,
            market=self.asked.market,
            symbol=self.asked.symbol,
            from_day=self.asked.from_day,
            to_day=self.asked.to_day,
        )
        return replace(self, asked=asked)._limited(matches, "closed_at")

    @property
    def payments(self) -> "QuerySet[Payment]":
        """Funding, income and the like; what no trade paid for only where no trade is asked for."""
        payments = Payment.objects.visible_to(self.user).filter(kind__in=Payment.EARNED)
        return self._limited(payments, "time")

    def _limited(self, rows: "QuerySet[Any]", moment: str) -> "QuerySet[Any]":
        asked = self.asked
        if asked.is_of_trades:
            whole = replace(asked, from_day=None, to_day=None, state=_state(asked))
            rows = rows.filter(trade__in=whole.apply(self.user, self.chosen).order_by())
        else:
            for name in ("account", "market"):
                if value := getattr(asked, name):
                    rows = rows.filter(**{name: value})
            if asked.symbol:
                rows = rows.filter(Q(trade__symbol=asked.symbol) | Q(symbol=asked.symbol))
        if asked.from_day:
            start = day_start(asked.from_day, self.chosen)
            rows = rows.filter(**{f"{moment}__gte": start})
        if asked.to_day:
            end = day_start(next_day(asked.to_day), self.chosen)
            rows = rows.filter(**{f"{moment}__lt": end})
        return rows


def counted(trades: "QuerySet[Trade]") -> "QuerySet[Trade]":
    """Those that a statistic may count."""
    return trades.filter(kind=Trade.Kind.TRADE, is_apart=False, closed_at__isnull=False).exclude(
        ended_by="withdrawn"
    )


def _state(asked: TradeFilter) -> str:
    """Open trades earn too: only who asks for the open ones alone gets them alone."""
    return "open" if asked.state == "open" else "all"
