"""How lots leave, in words."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journal.models import Trade

register = template.Library()

MATCH_KINDS = {
    "sold": gettext_lazy("sold"),
    "spent": gettext_lazy("spent"),
    "converted": gettext_lazy("converted"),
    "dusted": gettext_lazy("dust"),
    "fee": gettext_lazy("taken as a fee"),
    "paid": gettext_lazy("paid"),
    "withdrawn": gettext_lazy("taken along"),
    "exchange": gettext_lazy("exchanged"),
    "closed": gettext_lazy("closed"),
}


@register.filter
def match_kind(kind: str) -> str:
    """How a lot left."""
    return str(MATCH_KINDS.get(kind, kind))


@register.filter
def ended_text(trade: Trade) -> str:
    """What took it from the stack."""
    return {
        "sold": _("sold from the stack"),
        "spent": _("spent on %(symbol)s") % {"symbol": trade.symbol},
        "fee": _("taken as a fee"),
        "converted": _("converted from the stack"),
        "dusted": _("turned into dust"),
        "paid": _("paid from the stack"),
        "withdrawn": _("taken along by a withdrawal"),
    }.get(trade.ended_by, trade.ended_by)
