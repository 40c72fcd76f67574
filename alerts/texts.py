"""An event as one sentence, in a language."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from lib.decimals import readable

SENTENCES = {
    "price_crosses": _("%(symbol)s (%(market)s) crossed %(level)s at %(value)s."),
    "price_moves": _("%(symbol)s (%(market)s) moved %(value)s percent within %(window)s."),
    "cvd_delta": _("The delta of %(symbol)s (%(market)s) over %(window)s is %(value)s."),
    "cvd_quantile": _(
        "The delta of %(symbol)s (%(market)s) over %(window)s is %(value)s, beyond its quantile "
        "%(quantile)s of the last 30 days."
    ),
    "divergence": _(
        "%(symbol)s (%(market)s) moved %(value)s percent within %(window)s against its order flow."
    ),
    "taker_order": _("A taker order of %(value)s in %(symbol)s (%(market)s): %(side)s."),
    "setup": _("Your setup %(setup)s appears in %(symbol)s (%(market)s): share %(value)s."),
    "spread": _("The spread of %(symbol)s (%(market)s): %(value)s."),
    "funding": _("The funding rate of %(symbol)s: %(value)s."),
    "open_interest": _("The open interest of %(symbol)s: %(value)s."),
    "liquidations": _("Liquidations in %(symbol)s over %(window)s: %(value)s."),
    "fill": _("%(account)s: %(side)s %(quantity)s %(symbol)s at %(price)s."),
    "order": _("%(account)s: order %(side)s %(quantity)s %(symbol)s is %(state)s."),
    "trade_closed": _("%(account)s: the trade in %(symbol)s is closed, net %(value)s."),
    "rule": _("A rule of yours is broken: %(rule)s."),
    "losing_streak": _(
        "%(losses)s losses in a row. What you opened after that many came to %(cost)s so far, in "
        "%(n)s trades."
    ),
    "size_after_loss": _(
        "After a loss you opened %(symbol)s at %(times)s times your usual size. Such trades came "
        "to %(cost)s so far, %(n)s of them."
    ),
    "account": _("The account %(account)s is %(state)s."),
    "pnl_day": _("The result of the day is %(value)s (%(unit)s)."),
    "pnl_open": _("The open result is %(value)s (%(unit)s)."),
    "liquidation_distance": _(
        "%(symbol)s of %(account)s is %(value)s (%(unit)s) from its liquidation."
    ),
    "system": _("Tapelog: %(what)s."),
    "test": _("A test of the alert %(name)s."),
    "dead": _("%(channel)s could not be reached for a day: an alert was not delivered."),
}


# Facts that are exact decimal text, and told as people read numbers.
AMOUNTS = ("value", "level", "quantity", "price", "cost")


def sentence(kind: str, facts: Mapping[str, Any], language: str) -> str:
    told = {**facts, **{name: _number(facts[name]) for name in AMOUNTS if name in facts}}
    with translation.override(language):
        return str(gettext(SENTENCES[kind]) % told)[:300]


def _number(text: Any) -> str:
    """Anything that is no number stays as it is."""
    try:
        return readable(Decimal(str(text)))
    except InvalidOperation:
        return str(text)


def window_text(seconds: int) -> str:
    """90 -> `90 s`, 300 -> `5 min`, 7200 -> `2 h`."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
