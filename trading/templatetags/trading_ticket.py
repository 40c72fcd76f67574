"""What the ticket on a market's page needs, without the market knowing of trading."""

from typing import Any

from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString

from accounts.models import User
from journal.models import Setup
from lib.decimals import plain
from trading.models import Bracket
from trading.services.bracketing import bracket_row
from trading.services.pricing import listing_of
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


@register.simple_tag(takes_context=True)
def ticket_brackets(context: dict[str, Any]) -> SafeString:
    """The user's templates as JSON in a script of its own."""
    rows = Bracket.objects.filter(user=context["request"].user)
    return json_script([bracket_row(row) for row in rows], "bracket-rows")


@register.simple_tag
def ticket_tick(market: str, symbol: str) -> str:
    listing = listing_of(market, symbol)
    return "" if listing is None else plain(listing.tick_size)
