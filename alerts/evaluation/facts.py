"""What happened to accounts: fills, orders, closed trades, states. Rows are looked at by their own
time, for everybody at once; each is told by its own name, so that looking again tells nothing
twice."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import ExchangeAccount
from alerts.conditions.kinds import Scope
from alerts.evaluation import rows
from alerts.evaluation.fact import Fact
from alerts.evaluation.habits import Habits
from alerts.evaluation.rows import Row
from alerts.services import firing
from alerts.services.firing import Told
from journal.models import Fill, Order, Trade
from lib.dates import to_ms
from lib.decimals import plain

# How far back is looked each time: what the stream missed comes by REST within minutes.
LOOK_BACK = timedelta(minutes=30)
# Names of what was handed on already, so that the table is not asked again.
MOST_KNOWN = 20_000
Wanted = dict[str, list[Row]]


class Facts:
    def __init__(self) -> None:
        self._known: dict[tuple[int, str], None] = {}
        # account -> its state, and since when it has had it here
        self._states: dict[str, str] = {}
        habits = Habits()
        self._finders = {
            **FINDERS,
            "losing_streak": habits.streaks,
            "size_after_loss": habits.sizes,
            "rule": habits.limits,
        }

    def round(self) -> None:
        """Look once."""
        wanted: Wanted = defaultdict(list)
        for row in rows.of_scopes(Scope.FACTS):
            wanted[row.kind].append(row)
        since = timezone.now() - LOOK_BACK
        for kind, find in self._finders.items():
            if kind in wanted:
                self._tell(wanted[kind], find({row.user_id for row in wanted[kind]}, since))
        self._look_at_accounts(wanted["account"])

    def _tell(self, its_rows: list[Row], facts: Iterator[Fact]) -> None:
        by_user: dict[int, list[Row]] = defaultdict(list)
        for row in its_rows:
            by_user[row.user_id].append(row)
        for fact in facts:
            for row in by_user[fact.user_id]:
                if (row.pk, fact.name) not in self._known and is_meant(row, fact):
                    words = Told(to_ms(fact.at), fact.value, fact.facts)
                    firing.tell(row.pk, fact.name, words)
                    self._known[row.pk, fact.name] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _look_at_accounts(self, its_rows: list[Row]) -> None:
        """A state counts from when it is first seen to differ; what it was before we looked does
        not."""
        if not its_rows:
            self._states.clear()
            return
        users = {row.user_id for row in its_rows}
        mine = ExchangeAccount.objects.here().filter(user__in=users)
        changed: list[Fact] = []
        for account in mine:
            name, before = str(account.pk), self._states.get(str(account.pk))
            self._states[name] = account.state
            if before is None or before == account.state:
                continue
            now = timezone.now()
            facts = {
                "account": account.label,
                "state": account.state,
                "path": f"/account/exchange/{name}/",
            }
            changed.append(
                Fact(
                    "account",
                    account.user_id,
                    name,
                    f"account:{name}:{account.state}:{to_ms(account.checked_at or now)}",
                    now,
                    account.state,
                    account.state,
                    facts,
                )
            )
        self._tell(its_rows, iter(changed))


def is_meant(row: Row, fact: Fact) -> bool:
    condition = row.condition
    return (
        to_ms(fact.at) >= row.since_ms
        and condition.get("account", fact.account_id) == fact.account_id
        and condition.get("state", fact.state).lower() == fact.state.lower()
        and condition.get("rule", fact.state) == fact.state
        # of losses in a row the number that is asked for, once
        and condition.get("losses", fact.facts.get("losses")) == fact.facts.get("losses")
    )


def _fills(users: set[int], since: datetime) -> Iterator[Fact]:
    fills = Fill.objects.filter(
        account__user__in=users, account__venue=settings.VENUE, time__gte=since
    ).select_related("account")
    for fill in fills.order_by("time", "trade_id"):
        facts = {
            "account": fill.account.label,
            "side": fill.side,
            "quantity": plain(fill.quantity),
            "symbol": fill.symbol,
            "price": plain(fill.price),
            "path": f"/trades/?symbol={fill.symbol}",
        }
        yield Fact(
            "fill",
            fill.account.user_id,
            str(fill.account_id),
            f"fill:{fill.account_id}:{fill.market}:{fill.symbol}:{fill.trade_id}",
            fill.time,
            plain(fill.quote_quantity),
            fill.side,
            facts,
        )


def _orders(users: set[int], since: datetime) -> Iterator[Fact]:
    orders = Order.objects.filter(
        account__user__in=users, account__venue=settings.VENUE, changed_at__gte=since
    ).select_related("account")
    for order in orders.order_by("changed_at", "order_id"):
        facts = {
            "account": order.account.label,
            "side": order.side,
            "quantity": plain(order.quantity),
            "symbol": order.symbol,
            "state": order.status,
            "path": f"/trades/?symbol={order.symbol}",
        }
        yield Fact(
            "order",
            order.account.user_id,
            str(order.account_id),
            f"order:{order.account_id}:{order.market}:{order.symbol}:{order.order_id}:"
            f"{order.status}:{plain(order.executed)}",
            order.changed_at,
            plain(order.executed),
            order.status,
            facts,
        )


def _trades(users: set[int], since: datetime) -> Iterator[Fact]:
    trades = Trade.objects.filter(
        account__user__in=users, account__venue=settings.VENUE, closed_at__gte=since
    ).select_related("account")
    for trade in trades.order_by("closed_at", "pk"):
        if trade.closed_at is None:
            continue
        facts = {
            "account": trade.account.label,
            "symbol": trade.symbol,
            "value": plain(trade.net),
            "path": f"/trades/{trade.pk}/",
        }
        yield Fact(
            "trade_closed",
            trade.account.user_id,
            str(trade.account_id),
            f"trade:{trade.account_id}:{trade.key}"[:160],
            trade.closed_at,
            plain(trade.net),
            "win" if trade.net > 0 else "loss",
            facts,
        )


FINDERS = {"fill": _fills, "order": _orders, "trade_closed": _trades}
