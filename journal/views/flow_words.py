"""What the flow has to do with one's results, in one sentence with its numbers."""

from decimal import Decimal

from django.utils.translation import gettext as _

from journal.models import Preferences
from journal.selectors.sums import Sums
from journal.selectors.units import axis_words, value_of
from journal.selectors.you_and_flow import YouAndFlow

HIDDEN = "•••"


def flow_sentence(flow: YouAndFlow, chosen: Preferences, currency: str) -> str:
    """The loss first: it is what can be changed."""
    against, with_flow = flow.against, flow.with_flow
    if not against.count and not with_flow.count:
        return _("No trade was clearly with or against the flow.")
    parts = [
        _said(
            against,
            _amount(against, chosen, currency),
            won=_("Against the flow you made %(amount)s in %(count)s trades."),
            lost=_("Against the flow you gave back %(amount)s in %(count)s trades."),
        ),
        _said(
            with_flow,
            _amount(with_flow, chosen, currency),
            won=_("With it you made %(amount)s in %(count)s."),
            lost=_("With it you lost %(amount)s in %(count)s."),
        ),
    ]
    return " ".join(part for part in parts if part)


def _said(sums: Sums, amount: tuple[str, bool] | None, *, won: str, lost: str) -> str:
    if not sums.count or amount is None:
        return ""
    text, is_gain = amount
    return (won if is_gain else lost) % {"amount": text, "count": sums.count}


def _amount(sums: Sums, chosen: Preferences, currency: str) -> tuple[str, bool] | None:
    """Without a sign, which the sentence says."""
    value = value_of(sums, chosen, of_trades=True)
    if value is None:
        return None
    if chosen.hides_amounts and chosen.unit == Preferences.Unit.MONEY:
        return HIDDEN, value >= 0
    if chosen.unit == Preferences.Unit.MONEY and currency in {"USD", "EUR"}:
        return f"{'$' if currency == 'USD' else '€'}{abs(value):,.2f}", value >= 0
    if chosen.unit == Preferences.Unit.PERCENT:
        return f"{abs(value):.2f}%", value >= 0
    if chosen.unit == Preferences.Unit.RISK:
        return f"{abs(value):.2f}R", value >= 0
    return axis_words(chosen, currency)(float(abs(value))).lstrip("+"), Decimal(value) >= 0
