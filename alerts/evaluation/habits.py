"""What a trader does after losses, told with what it came to so far (journal/metrics/tilt.py), and
the limits of one's own day. Worked out only when one's trades have changed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts.models import User
from alerts.evaluation.fact import Fact
from journal.metrics.tilt import Closed, History
from journal.models import Trade
from journal.selectors.scope import counted
from lib.decimals import plain
from lib.parking import Parking
from market.jobs import guarding
from trading.limits import Entry, judge
from trading.models import Rule
from trading.selectors.today import day_so_far

# The newest trades that the figures are of.
MOST_TRADES = 5000
CENT = Decimal("0.01")
# Rules that are about the day so far, whatever is ordered next.
LIMITS = (Rule.Name.DAY_LOSS, Rule.Name.DAY_TRADES)
NOTHING = Entry(size=None, has_stop=True, setup="")
# What of a user's trades is new: (key, closing) of each.
Newest = tuple[tuple[str, datetime | None], ...]


class Habits:
    """Keeps what it found as long as a user's newest trades are the same."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[Newest, list[Fact]]] = {}
        self._parked = Parking()

    def streaks(self, users: set[int], since: datetime) -> Iterator[Fact]:
        yield from self._of_each("losing_streak", users, since)

    def sizes(self, users: set[int], since: datetime) -> Iterator[Fact]:
        yield from self._of_each("size_after_loss", users, since)

    def limits(self, users: set[int], since: datetime) -> Iterator[Fact]:
        with_limits = set(
            Rule.objects.filter(user__in=users, name__in=LIMITS).values_list("user", flat=True)
        )
        yield from self._of_each("rule", with_limits, since)

    def _of_each(self, kind: str, users: set[int], since: datetime) -> Iterator[Fact]:
        newest = _newest(users, since)
        for key in [key for key in self._kept if key[0] == kind and key[1] not in newest]:
            del self._kept[key]

        def look(user: User) -> list[Fact]:
            rows = tuple((trade.key, trade.closed_at) for trade in newest[user.pk])
            known, facts = self._kept.get((kind, user.pk), ((), []))
            if known != rows:
                facts = list(FINDERS[kind](user, newest[user.pk]))
                self._kept[kind, user.pk] = rows, facts
            return facts

        owners = User.objects.filter(pk__in=newest)
        of_each = guarding.each(
            kind, owners, look, name_of=lambda user: user.pk, parked=self._parked
        )
        for facts in of_each:
            yield from facts


def _newest(users: set[int], since: datetime) -> dict[int, list[Trade]]:
    """What was opened or closed lately, by user."""
    rows = (
        Trade.objects.filter(
            Q(closed_at__gte=since) | Q(opened_at__gte=since),
            account__user__in=users,
            account__venue=settings.VENUE,
            kind=Trade.Kind.TRADE,
            is_apart=False,
        )
        .select_related("account")
        .order_by("opened_at", "pk")
    )
    by_user: dict[int, list[Trade]] = defaultdict(list)
    for trade in rows:
        by_user[trade.account.user_id].append(trade)
    return by_user


def _history(user: User) -> History:
    rows = counted(Trade.objects.visible_to(user)).order_by("-closed_at", "-pk")
    values = rows.values_list("opened_at", "closed_at", "net_money", "size_money")[:MOST_TRADES]
    return History(
        [
            Closed(opened_at, closed_at, net, size)
            for opened_at, closed_at, net, size in values
            if closed_at is not None
        ]
    )


def _streaks(user: User, newest: list[Trade]) -> Iterator[Fact]:
    """At each loss that follows another one."""
    history = _history(user)
    for trade in newest:
        losses = history.losses_at(trade.closed_at) if trade.closed_at else 0
        if trade.closed_at is None or losses < 2:
            continue
        cost = history.after_losses(losses)
        facts = {
            "losses": losses,
            "n": cost.count,
            "cost": plain(cost.net.quantize(CENT)),
            "path": "/trades/",
        }
        yield _fact("losing_streak", trade, trade.closed_at, str(losses), facts)


def _sizes(user: User, newest: list[Trade]) -> Iterator[Fact]:
    history = _history(user)
    for trade in newest:
        if not history.is_larger_after_loss(trade.size_money, trade.opened_at):
            continue
        times = history.times_usual(trade.size_money, trade.opened_at) or Decimal(0)
        cost = history.larger_after_loss()
        facts = {
            "symbol": trade.symbol,
            "times": plain(times.quantize(Decimal("0.1"))),
            "n": cost.count,
            "cost": plain(cost.net.quantize(CENT)),
            "path": f"/trades/{trade.pk}/",
        }
        yield _fact("size_after_loss", trade, trade.opened_at, str(facts["times"]), facts)


def _limits(user: User, newest: list[Trade]) -> Iterator[Fact]:
    """A limit of the day that is reached, once a day."""
    day = day_so_far(user)
    last = max(newest, key=lambda trade: trade.closed_at or trade.opened_at)
    at = last.closed_at or last.opened_at
    for rule in Rule.objects.filter(user=user, name__in=LIMITS):
        detail = judge(rule.name, rule.value, day, NOTHING)
        if detail is not None:
            yield Fact(
                kind="rule",
                user_id=user.pk,
                account_id=str(last.account_id),
                name=f"limit:{rule.name}:{day.now:%Y-%m-%d}",
                at=at,
                value="",
                state=rule.name,
                facts={"rule": detail.rstrip("."), "path": "/trading/"},
            )


def _fact(kind: str, trade: Trade, at: datetime, value: str, facts: Mapping[str, Any]) -> Fact:
    return Fact(
        kind=kind,
        user_id=trade.account.user_id,
        account_id=str(trade.account_id),
        name=f"{kind}:{trade.account_id}:{trade.key}"[:160],
        at=at,
        value=value,
        state="",
        facts=dict(facts),
    )


FINDERS = {"losing_streak": _streaks, "size_after_loss": _sizes, "rule": _limits}
