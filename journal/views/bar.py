"""What the pages of the journal share: the filter bar, and one's own trade."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import ExchangeAccount, User
from accounts.requests import SignedInRequest
from journal.filters import BadFilter, TradeFilter
from journal.models import SavedView, Setup, Tag, Trade
from journal.selectors.preferences import preferences_of

LABELS = {
    "account": gettext_noop("Account"), "market": gettext_noop("Market"),
    "symbol": gettext_noop("Symbol"), "direction": gettext_noop("Direction"),
    "flow": gettext_noop("Flow at entry"), "tag": gettext_noop("Tag"),
    "setup": gettext_noop("Setup"), "from": gettext_noop("From"), "to": gettext_noop("To"),
    "state": gettext_noop("State"), "review": gettext_noop("Reviewed"),
    "result": gettext_noop("Result"),
}  # fmt: skip


def own_trade(user: User, trade_id: int) -> Trade:
    """Raises Http404 for anything that is not this user's."""
    found: Trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
    return found


def read_filter(request: SignedInRequest) -> tuple[TradeFilter, str]:
    """(what is asked for, what is wrong with it): a bad filter filters nothing and says so."""
    try:
        return TradeFilter.parse(request.GET.dict()), ""
    except BadFilter as error:
        return TradeFilter(), str(error)


def bar(request: SignedInRequest, asked: TradeFilter, problem: str) -> dict[str, Any]:
    """For `journal/_filters.html`."""
    user = request.user
    trades = Trade.objects.visible_to(user)
    chips = [
        {"name": name, "label": _(LABELS[name]), "value": value, "without": asked.without(name)}
        for name, value in asked.query.items()
    ]
    return {
        "filter": asked, "filter_problem": problem, "chips": chips, "filter_query": asked.text,
        "filter_accounts": ExchangeAccount.objects.visible_to(user),
        "filter_symbols": trades.order_by("symbol").values_list("symbol", flat=True).distinct(),
        "filter_tags": Tag.objects.visible_to(user),
        "filter_setups": Setup.objects.visible_to(user),
        "filter_flows": Trade.Against.choices, "views": SavedView.objects.visible_to(user),
        "chosen": preferences_of(user),
    }  # fmt: skip
