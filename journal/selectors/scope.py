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
    trade_filter: TradeFilter
    chosen: Preferences

    @property
    def trades(self) -> "QuerySet[Trade]":
        """Closed trades that count: neither taken from the stack, nor of unknown cost, nor taken
        along by a withdrawal."""
        trades = replace(self.trade_filter, state="closed").apply(self.user, self.chosen)
        if self.trade_filter.kind in {"stack", "all"}:  # asked for
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
        own = TradeFilter(
            account=self.trade_filter.account,
            market=self.trade_filter.market,
            symbol=self.trade_filter.symbol,
            from_day=self.trade_filter.from_day,
            to_day=self.trade_filter.to_day,
        )
        return replace(self, trade_filter=own)._limited(matches, "closed_at")

    @property
    def payments(self) -> "QuerySet[Payment]":
        """Funding, income and the like; what no trade paid for only where no trade is asked for."""
        payments = Payment.objects.visible_to(self.user).filter(kind__in=Payment.EARNED)
        return self._limited(payments, "time")

    def _limited(self, rows: "QuerySet[Any]", moment: str) -> "QuerySet[Any]":
        trade_filter = self.trade_filter
        if trade_filter.is_of_trades:
            whole = replace(trade_filter, from_day=None, to_day=None, state=_state(trade_filter))
            rows = rows.filter(trade__in=whole.apply(self.user, self.chosen).order_by())
        else:
            for name in ("account", "market"):
                if value := getattr(trade_filter, name):
                    rows = rows.filter(**{name: value})
            if trade_filter.symbol:
                rows = rows.filter(
                    Q(trade__symbol=trade_filter.symbol) | Q(symbol=trade_filter.symbol)
                )
        if trade_filter.from_day:
            start = day_start(trade_filter.from_day, self.chosen)
            rows = rows.filter(**{f"{moment}__gte": start})
        if trade_filter.to_day:
            end = day_start(next_day(trade_filter.to_day), self.chosen)
            rows = rows.filter(**{f"{moment}__lt": end})
        return rows


def counted(trades: "QuerySet[Trade]") -> "QuerySet[Trade]":
    """Those that a statistic may count."""
    return trades.filter(kind=Trade.Kind.TRADE, is_apart=False, closed_at__isnull=False).exclude(
        ended_by="withdrawn"
    )


def _state(trade_filter: TradeFilter) -> str:
    """Open trades earn too: only who asks for the open ones alone gets them alone."""
    return "open" if trade_filter.state == "open" else "all"
