"""What the pages of the journal share: the filter bar, and one's own trade."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import ExchangeAccount, User
from accounts.requests import SignedInRequest
from journal.filters import NAMES, BadFilter, TradeFilter
from journal.metrics.days import day_of
from journal.models import Book, Preferences, SavedView, Setup, Sync, Tag, Trade
from journal.selectors.preferences import preferences_of
from journal.selectors.symbols import traded_symbols

# before the names of the second set's filters, where two are compared
SECOND = "b_"
# what stands in the URL beside the filters
KEPT = (
    "by",
    "across",
    "month",
    "view",
    "sort",
    "beside",
    *(f"{SECOND}{name}" for name in NAMES),
)
LABELS = {
    "account": gettext_noop("Account"),
    "market": gettext_noop("Market"),
    "symbol": gettext_noop("Symbol"),
    "direction": gettext_noop("Direction"),
    "flow": gettext_noop("Flow at entry"),
    "tag": gettext_noop("Tag"),
    "setup": gettext_noop("Setup"),
    "from": gettext_noop("Since"),
    "to": gettext_noop("Until"),
    "state": gettext_noop("State"),
    "review": gettext_noop("Reviewed"),
    "result": gettext_noop("Result"),
    "kind": gettext_noop("Kind"),
    "net_min": gettext_noop("Net at least"),
    "net_max": gettext_noop("Net at most"),
    "r_min": gettext_noop("R at least"),
    "r_max": gettext_noop("R at most"),
    "held_min": gettext_noop("Minutes held at least"),
    "held_max": gettext_noop("Minutes held at most"),
    "hour_min": gettext_noop("Opened from hour"),
    "hour_max": gettext_noop("Opened until hour"),
}


def own_trade(user: User, trade_id: int) -> Trade:
    """Raises Http404 for anything that is not this user's."""
    trade: Trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
    return trade


def is_number(text: str) -> bool:
    """An id as a form sends it."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def computing(user: User, chosen: Preferences) -> tuple[int, int] | None:
    """(books done, of how many) while some of the trades are not yet what they will be: a method, a
    currency, new fills; None otherwise."""
    is_due = Q(built__lt=F("version"), problem="")
    counts = {"count": Count("pk"), "due": Count("pk", filter=is_due)}
    told = Book.objects.visible_to(user).order_by().aggregate(**counts)
    count, due = told["count"], told["due"]
    if chosen.built_currency != user.report_currency:
        return 0, count
    return (count - due, count) if due else None


def is_first_reading(user: User) -> bool:
    """Whether an account is read that was never read to its end: what is not there may come."""
    live = ExchangeAccount.objects.visible_to(user).filter(state=ExchangeAccount.State.LIVE)
    states = [Sync.State.WAITING, Sync.State.RUNNING]
    return Sync.objects.filter(account__in=live, finished_at=None, state__in=states).exists()


def read_filter(request: SignedInRequest) -> tuple[TradeFilter, str]:
    """(what is asked for, what is wrong with it): a bad filter filters nothing and says so."""
    return _read(request.GET.dict())


def read_second(request: SignedInRequest) -> tuple[TradeFilter, str]:
    """The same of the second set."""
    query = request.GET.dict().items()
    own = {name.removeprefix(SECOND): value for name, value in query if name.startswith(SECOND)}
    return _read(own)


def _read(query: dict[str, str]) -> tuple[TradeFilter, str]:
    try:
        return TradeFilter.parse(query), ""
    except BadFilter as error:
        return TradeFilter(), str(error)


def second_query(trade_filter: TradeFilter) -> str:
    return urlencode({f"{SECOND}{name}": value for name, value in trade_filter.query.items()})


def bar(request: SignedInRequest, trade_filter: TradeFilter, problem: str) -> dict[str, Any]:
    """For `journal/_filters.html`."""
    user = request.user
    kept = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
    chosen = preferences_of(user)
    due = computing(user, chosen)

    def query_of(wanted: TradeFilter) -> str:
        return joined(wanted.text, urlencode(kept))

    return {
        "presets": presets(trade_filter, chosen, query_of),
        "kept": kept,
        "kept_query": urlencode(kept),
        "filter": trade_filter,
        "filter_problem": problem,
        "chips": chips(trade_filter, query_of),
        "filter_query": trade_filter.text,
        "filter_accounts": ExchangeAccount.objects.visible_to(user),
        "filter_symbols": traded_symbols(user),
        "filter_tags": Tag.objects.visible_to(user),
        "filter_setups": Setup.objects.visible_to(user),
        "filter_flows": Trade.Against.choices,
        "views": SavedView.objects.visible_to(user),
        "chosen": chosen,
        "computing": due,
        "is_coming": due is not None or is_first_reading(user),
    }


def joined(*queries: str) -> str:
    return "&".join(filter(None, queries))


QueryOf = Callable[[TradeFilter], str]


def chips(trade_filter: TradeFilter, query_of: QueryOf) -> list[dict[str, str]]:
    """What is filtered, each with the query that asks for it no more."""
    return [
        {
            "label": _(LABELS[name]),
            "value": value,
            "without": query_of(TradeFilter.parse(_less(trade_filter.query, name))),
        }
        for name, value in trade_filter.query.items()
    ]


def _less(query: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in query.items() if key != name}


def presets(
    trade_filter: TradeFilter, chosen: Preferences, query_of: QueryOf
) -> list[tuple[str, str, bool]]:
    """(label, query, whether it is the one that is set) of periods that end today."""
    today = day_of(timezone.now(), chosen.tzinfo, time(chosen.day_start))
    periods: list[tuple[str, date | None]] = [
        (_("Today"), today),
        (_("7 d"), today - timedelta(days=6)),
        (_("30 d"), today - timedelta(days=29)),
        (_("90 d"), today - timedelta(days=89)),
        (_("This year"), today.replace(month=1, day=1)),
        (_("All"), None),
    ]
    own = trade_filter.from_day, trade_filter.to_day
    return [
        (label, query_of(trade_filter.with_days(first, None)), own == (first, None))
        for label, first in periods
    ]
