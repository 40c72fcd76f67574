"""The pill in the head of every page: which account its numbers are of, how its reading stands, and
the same page of another one."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.models import ExchangeAccount, User
from journal.models import Sync

# pages whose numbers are those of the account in their address
OF_AN_ACCOUNT = frozenset(
    {
        "home",
        "trades",
        "calendar",
        "reports",
        "distribution",
        "trend",
        "compare",
        "execution",
        "realized",
        "insight",
        "insight-part",
        "insight-scatter",
        "portfolio",
    }
)
State = ExchangeAccount.State
LIVE, BUSY, ILL = "live", "busy", "ill"
TONES = {State.LIVE: LIVE, State.NEW: BUSY, State.CHECKING: BUSY, State.SYNCING: BUSY}


@dataclass(frozen=True)
class Choice:
    """`query` is that of the same page with this account; `percent` of the requests of a reading
    that is not over, else None."""

    account: ExchangeAccount
    query: str
    percent: int | None

    @property
    def tone(self) -> str:
        if not self.account.last_four:  # of files: nothing is asked of the exchange
            return LIVE
        return BUSY if self.percent is not None else TONES.get(State(self.account.state), ILL)


@dataclass(frozen=True)
class Pill:
    """`chosen` is None where the numbers are of all accounts."""

    choices: Sequence[Choice]
    chosen: Choice | None
    all_query: str
    can_switch: bool

    @property
    def shown(self) -> Sequence[Choice]:
        return self.choices if self.chosen is None else [self.chosen]

    @property
    def tone(self) -> str:
        """The worst of what is shown."""
        tones = {one.tone for one in self.shown}
        return next((tone for tone in (ILL, BUSY) if tone in tones), LIVE)

    @property
    def percent(self) -> int | None:
        """Of the reading that has come least far."""
        return min((one.percent for one in self.shown if one.percent is not None), default=None)

    @property
    def own_query(self) -> str:
        """For links to other pages of the same account."""
        return "" if self.chosen is None else f"?account={self.chosen.account.pk}"


def pill_of(request: HttpRequest, user: User) -> Pill:
    """In two queries."""
    accounts = list(ExchangeAccount.objects.visible_to(user))
    syncs = {row.account_id: row for row in Sync.objects.filter(account__in=accounts)}
    match = request.resolver_match
    can_switch = match is not None and match.url_name in OF_AN_ACCOUNT
    wanted = request.GET.get("account", "") if can_switch else ""
    choices = [
        Choice(account, _query(request, str(account.pk)), _percent(syncs.get(account.pk)))
        for account in accounts
    ]
    chosen = next((one for one in choices if str(one.account.pk) == wanted), None)
    return Pill(choices, chosen, _query(request, ""), can_switch)


def _query(request: HttpRequest, account: str) -> str:
    query = request.GET.copy()
    for name in ("account", "page"):
        query.pop(name, None)
    if account:
        query["account"] = account
    return query.urlencode()


def _percent(sync: Sync | None) -> int | None:
    if sync is None or sync.state != Sync.State.RUNNING or not sync.expected:
        return None
    return min(99, sync.done * 100 // sync.expected)
