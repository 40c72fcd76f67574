"""What the ticket on a market's page needs, without the market knowing of trading."""

from typing import Any

from django import template

from accounts.models import User
from journal.models import Setup
from trading.services.traders import traders_of

register = template.Library()


@register.simple_tag(takes_context=True)
def ticket_accounts(context: dict[str, Any]) -> list[Any]:
    """The user's accounts that have a key, those that may trade now first."""
    user = context["request"].user
    if not isinstance(user, User):
        return []
    return sorted(traders_of(user), key=lambda row: (not row.is_on, row.account.label))


@register.simple_tag(takes_context=True)
def ticket_setups(context: dict[str, Any]) -> list[str]:
    user = context["request"].user
    return list(Setup.objects.filter(user=user).values_list("name", flat=True))
