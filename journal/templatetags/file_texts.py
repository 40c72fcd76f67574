"""What an export is, in words."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def file_kind(kind: str) -> str:
    """`spot+usdm` -> Spot trades, USD-M futures trades."""
    texts = {
        "spot": _("Spot trades"),
        "usdm": _("USD-M futures trades"),
        "coinm": _("COIN-M futures trades"),
        "income": _("USD-M transaction history"),
        "orders": _("Order history"),
        "statement": _("Statement (transaction history)"),
        "convert": _("Converts"),
        "deposits": _("Deposits"),
        "withdrawals": _("Withdrawals"),
        "distributions": _("Distributions"),
    }
    return ", ".join(texts.get(one, one) for one in (kind or "").split("+"))


@register.filter
def row_kind(kind: str) -> str:
    """What one row of an export is."""
    texts = {
        "fill": _("Fill"),
        "deposit": _("Deposit"),
        "withdrawal": _("Withdrawal"),
        "convert": _("Convert"),
        "dust": _("Dust to BNB"),
        "dividend": _("Distribution"),
        "internal": _("Between wallets"),
        "swap": _("Swapped by the exchange"),
        "other": _("Other"),
    }
    return texts.get(kind, kind)
