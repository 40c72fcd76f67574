"""What the filter bar's form needs of a filter."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from journal.filters import TradeFilter

register = template.Library()

# each range, what it is called, and the step of its fields
RANGES = (
    ("net", gettext_noop("Net"), "any"),
    ("r", "R", "any"),
    ("held", gettext_noop("Minutes held"), "1"),
    ("hour", gettext_noop("Hour of opening"), "1"),
)


@register.filter
def ranges_of(trade_filter: TradeFilter) -> list[dict[str, object]]:
    """Each range with the names of its two ends and what they are set to."""
    given = trade_filter.query
    return [
        {
            "label": _(label),
            "step": step,
            "ends": [
                (f"{name}_{end}", given.get(f"{name}_{end}", ""), words)
                for end, words in (("min", _("from")), ("max", _("to")))
            ],
        }
        for name, label, step in RANGES
    ]
