"""What is known while an account's history is read for the first time: how far the reading is, and
the first answers, each as partial as it is."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import ExchangeAccount, User
from journal.filters import TradeFilter
from journal.models import Coverage, Fill, Preferences, Sync, Trade, Upload
from journal.selectors.ends import first_of
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums, sums, sums_by
from journal.selectors.trades import Line, with_notes

LINES = 40
State = ExchangeAccount.State


@dataclass(frozen=True)
class Reading:
    """One account: its checks, and what of its history is being read."""

    account: ExchangeAccount
    sync: Sync | None
    lines: list[Coverage]
    upload: Upload | None
    fills: int

    @property
    def has_key(self) -> bool:
        return bool(self.account.last_four)

    @property
    def is_connected(self) -> bool:
        return self.account.state in {State.LIVE, State.SYNCING} and self.has_key

    @property
    def is_stopped(self) -> bool:
        """It goes on only when its owner does something."""
        return self.account.state in {State.BROKEN, State.PAUSED} and self.has_key

    @property
    def is_read(self) -> bool:
        """Once from end to end; of files, as soon as something was taken in."""
        if self.sync is None or not self.has_key:
            return self.fills > 0
        return self.sync.finished_at is not None

    @property
    def percent(self) -> int:
        """Of the requests of this reading; never 100 before it is over."""
        sync = self.sync
        if self.is_read:
            return 100
        if sync is None or not sync.expected:
            return 0
        return min(99, sync.done * 100 // sync.expected)


@dataclass(frozen=True)
class FirstAnswers:
    """Of what is known so far."""

    sums: Sums
    with_flow: Sums
    against_flow: Sums
    best: Line | None
    worst: Line | None
    since: datetime | None


def readings(user: User) -> list[Reading]:
    """Of a user's accounts; in three queries and two an account."""
    accounts = list(ExchangeAccount.objects.visible_to(user))
    syncs = {row.account_id: row for row in Sync.objects.filter(account__in=accounts)}
    return [_reading(account, syncs.get(account.pk)) for account in accounts]


def is_anything_read(user: User) -> bool:
    """Whether a `Reading` of a user is read, without counting what there is: until then the home
    page would be made of guesses."""
    mine = ExchangeAccount.objects.visible_to(user)
    by_key = mine.filter(sync__isnull=False).exclude(last_four="")
    if by_key.filter(sync__finished_at__isnull=False).exists():
        return True
    others = list(mine.exclude(pk__in=by_key).values_list("pk", flat=True))
    return bool(others) and Fill.objects.filter(account__in=others).exists()


def first_answers(user: User, chosen: Preferences) -> FirstAnswers | None:
    """None while no trade is closed."""
    scope = Scope(user, TradeFilter(), chosen)
    known = sums(scope)
    if not known.count:
        return None
    by_flow = sums_by(scope, "flow")
    money = scope.trades.filter(net_money__isnull=False)
    best, worst = (first_of(money, user, order, 1) for order in (("-net_money",), ("net_money",)))
    ends = with_notes(user, [*best, *worst])
    opened = first_of(scope.trades, user, ("opened_at",), 1)
    against = Trade.Against
    return FirstAnswers(
        sums=known,
        with_flow=by_flow.get(against.WITH, Sums()),
        against_flow=by_flow.get(against.AGAINST, Sums()),
        best=ends[0] if ends else None,
        worst=ends[-1] if ends else None,
        since=opened[0].opened_at if opened else None,
    )


def _reading(account: ExchangeAccount, sync: Sync | None) -> Reading:
    lines = Coverage.objects.filter(account=account).exclude(checked_at=None, rows=0)
    return Reading(
        account=account,
        sync=sync,
        lines=list(lines.order_by("is_complete", "-rows", "kind", "symbol")[:LINES]),
        upload=Upload.objects.filter(account=account).first(),
        fills=Fill.objects.filter(account=account).count(),
    )
