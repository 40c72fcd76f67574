"""What the pages of the journal share: the filter bar, and one's own trade."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import ExchangeAccount, User
from accounts.requests import SignedInRequest
from journal.filters import BadFilter, TradeFilter
from journal.metrics.days import day_of
from journal.models import Book, Preferences, SavedView, Setup, Tag, Trade
from journal.selectors.preferences import preferences_of
from journal.selectors.symbols import traded_symbols

# what stands in the URL beside the filters
KEPT = ("by", "across", "month", "view", "sort")
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
}


def own_trade(user: User, trade_id: int) -> Trade:
    """Raises Http404 for anything that is not this user's."""
    trade: Trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
    return trade


def is_number(text: str) -> bool:
    """An id as a form sends it."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def computing(user: User) -> tuple[int, int] | None:
    """(books done, of how many) while some of the trades are not yet what they will be: a method, a
    currency, new fills; None otherwise."""
    books = Book.objects.visible_to(user)
    count = books.count()
    due = books.filter(built__lt=F("version"), problem="").count()
    if preferences_of(user).built_currency != user.report_currency:
        return 0, count
    return (count - due, count) if due else None


def read_filter(request: SignedInRequest) -> tuple[TradeFilter, str]:
    """(what is asked for, what is wrong with it): a bad filter filters nothing and says so."""
    try:
        return TradeFilter.parse(request.GET.dict()), ""
    except BadFilter as error:
        return TradeFilter(), str(error)


def bar(request: SignedInRequest, trade_filter: TradeFilter, problem: str) -> dict[str, Any]:
    """For `journal/_filters.html`."""
    user = request.user
    kept = {name: request.GET[name] for name in KEPT if name in request.GET}
    chips = [
        {
            "label": _(LABELS[name]),
            "value": value,
            "without": "&".join(filter(None, [trade_filter.without(name), urlencode(kept)])),
        }
        for name, value in trade_filter.query.items()
    ]
    chosen = preferences_of(user)
    return {
        "presets": _presets(trade_filter, chosen, kept),
        "filter": trade_filter,
        "filter_problem": problem,
        "chips": chips,
        "filter_query": trade_filter.text,
        "filter_accounts": ExchangeAccount.objects.visible_to(user),
        "filter_symbols": traded_symbols(user),
        "filter_tags": Tag.objects.visible_to(user),
        "filter_setups": Setup.objects.visible_to(user),
        "filter_flows": Trade.Against.choices,
        "views": SavedView.objects.visible_to(user),
        "chosen": chosen,
        "computing": computing(user),
    }


def _presets(
    trade_filter: TradeFilter, chosen: Preferences, kept: dict[str, str]
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
    presets = []
    for label, first in periods:
        wanted = replace(trade_filter, from_day=first, to_day=None)
        query = "&".join(filter(None, [wanted.text, urlencode(kept)]))
        presets.append(
            (label, query, (trade_filter.from_day, trade_filter.to_day) == (first, None))
        )
    return presets
