"""Codes of orders and rules in the reader's words; a code that nobody knows stands as it is."""

from django import template
from django.utils.translation import pgettext_lazy

from trading import limits
from trading.models import Rule
from trading.sentences import retold

register = template.Library()

WORDS = {
    # sides
    "BUY": pgettext_lazy("of an order", "BUY"),
    "SELL": pgettext_lazy("of an order", "SELL"),
    # roles and states of intents
    "stop": pgettext_lazy("of an order", "stop"),
    "target": pgettext_lazy("of an order", "target"),
    "exit": pgettext_lazy("of an order", "exit"),
    "written": pgettext_lazy("of an order", "written"),
    "sent": pgettext_lazy("of an order", "sent"),
    "unknown": pgettext_lazy("of an order", "unknown"),
    "accepted": pgettext_lazy("of an order", "accepted"),
    "refused": pgettext_lazy("of an order", "refused"),
    "expired": pgettext_lazy("of an order", "expired"),
    # the exchange's statuses
    "NEW": pgettext_lazy("of an order", "NEW"),
    "PENDING_NEW": pgettext_lazy("of an order", "PENDING_NEW"),
    "PARTIALLY_FILLED": pgettext_lazy("of an order", "PARTIALLY_FILLED"),
    "FILLED": pgettext_lazy("of an order", "FILLED"),
    "CANCELED": pgettext_lazy("of an order", "CANCELED"),
    "EXPIRED": pgettext_lazy("of an order", "EXPIRED"),
    "EXPIRED_IN_MATCH": pgettext_lazy("of an order", "EXPIRED_IN_MATCH"),
    "REJECTED": pgettext_lazy("of an order", "REJECTED"),
    "TRIGGERING": pgettext_lazy("of an order", "TRIGGERING"),
    "TRIGGERED": pgettext_lazy("of an order", "TRIGGERED"),
    "FINISHED": pgettext_lazy("of an order", "FINISHED"),
}
RULES = dict(Rule.Name.choices)


@register.filter
def order_word(code: str) -> str:
    return str(WORDS.get(code, code))


@register.filter
def order_reason(detail: str) -> str:
    """What is kept in English about an order: our own sentences in the reader's words, the
    exchange's as it said them."""
    return retold(detail, limits.SENTENCES)


@register.filter
def rule_name(code: str) -> str:
    return str(RULES.get(code, code))
