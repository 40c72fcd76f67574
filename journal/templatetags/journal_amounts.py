"""Sums, means and values in the unit that their reader has chosen: the one component for amounts.
Each says how many trades it rests on where that is not all of them."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import ExchangeAccount
from journal.models import Preferences
from journal.selectors.measures import Measure
from journal.selectors.reports import Group
from journal.selectors.sums import Sums
from journal.selectors.units import mean_of, value_of
from journal.services.worth import worth_of
from journal.templatetags.journal_texts import (
    NOTHING,
    SYMBOLS,
    chosen_of,
    coloured,
    grouped,
    money,
    money_text,
    percent,
    rate,
    risk,
    signed,
    word,
)

register = template.Library()

Context = Any
WORTH = "worth by account"
Unit = Preferences.Unit


@register.simple_tag(takes_context=True)
def trade_sum(context: Context, sums: Sums) -> SafeString:
    """What the counted closed trades made."""
    if not sums.count:
        return SafeString(NOTHING)
    return _shown(context, value_of(sums, chosen_of(context), of_trades=True), sums)


@register.simple_tag(takes_context=True)
def mean_result(context: Context, sums: Sums) -> SafeString:
    """Of one closed trade."""
    return _shown(context, mean_of(sums, chosen_of(context)), sums)


@register.simple_tag(takes_context=True)
def in_unit(context: Context, value: Decimal | str | None) -> SafeString:
    """A value that is in the chosen unit already. A template's missing value is an empty text."""
    return _shown(context, None if isinstance(value, str) else value, None)


@register.simple_tag(takes_context=True)
def compact(context: Context, sums: Sums) -> SafeString:
    """For the calendar's cells: whole money, thousands as k, one place of per cent and R."""
    currency = SYMBOLS.get(context.get("currency") or "USD", "")
    return _brief(context, value_of(sums, chosen_of(context)), currency)


@register.inclusion_tag("journal/_net_parts.html", takes_context=True)
def net_parts(context: Context, sums: Sums) -> dict[str, Any]:
    """What stands in a sum of money beside the closed trades that are counted next to it."""
    words = {
        "traded": _("trades"),
        "stack": _("kept beside"),
        "income": _("income"),
        "rest": _("other"),
    }
    is_money = chosen_of(context).unit == Preferences.Unit.MONEY
    parts = [(words[name], value) for name, value in sums.parts] if is_money else []
    return {
        "parts": parts,
        "preferences": context.get("preferences"),
        "currency": context.get("currency"),
    }


@register.simple_tag(takes_context=True)
def brief(context: Context, value: Decimal | None) -> SafeString:
    """The same of a value that is in the chosen unit already, where nothing else has room."""
    return _brief(context, value)


def _brief(context: Context, value: Decimal | None, currency: str = "") -> SafeString:
    chosen = chosen_of(context)
    if value is None:
        return SafeString(NOTHING)
    if chosen.unit == Unit.PERCENT:
        return coloured(signed(value, 1, "%"), value)
    if chosen.unit == Unit.RISK:
        return coloured(signed(value, 1, "R"), value)
    if chosen.hides_amounts:
        return coloured("•••", value)
    size = abs(value)
    if size >= 10_000:
        return coloured(signed(value / 1000, 1, "k", currency), value)
    return coloured(signed(value, 0 if size >= 1 else 2, "", currency), value)


@register.simple_tag(takes_context=True)
def measured_briefly(context: Context, group: Group, measure: Measure) -> str:
    """A group's value of a measure, for a small cell."""
    value = measure.of(group)
    if value is None:
        return word(measure.value(group)) if measure.value(group) else NOTHING
    if measure.kind == "rate":
        return f"{grouped(value * 100, 0)}%"
    if measure.kind == "ratio":
        return grouped(value, 1)
    if measure.kind == "risk":
        return coloured(signed(value, 1, "R"), value)
    return brief(context, -value if measure.kind == "cost" else value)


@register.simple_tag(takes_context=True)
def measured_range(context: Context, group: Group, measure: Measure) -> SafeString:
    """From where to where a group's value of a measure lies with 95 %."""
    low, high = measure.low(group), measure.high(group)
    if low is None or high is None:
        return SafeString(NOTHING)
    if measure.kind == "rate":
        return format_html("{} … {}", rate(low), rate(high))
    return format_html("{} … {}", in_unit(context, low), in_unit(context, high))


def _shown(context: Context, value: Decimal | None, sums: Sums | None) -> SafeString:
    chosen = chosen_of(context)
    if value is None:
        return SafeString(NOTHING)
    if chosen.unit == Unit.PERCENT:
        return percent(value)
    if chosen.unit == Unit.RISK:
        text = risk(value)
        if sums is not None and sums.r_count != sums.count:
            return format_html("{} <small>n = {}</small>", text, sums.r_count)
        return text
    return money(context, value)


@register.filter
def points(share: Decimal | None) -> SafeString:
    """The difference of two shares, in points of a per cent."""
    if share is None:
        return SafeString(NOTHING)
    return coloured(signed(share * 100, 1, "%"), share)


@register.filter
def signed_r(value: Any) -> SafeString:
    """A mean R, or the word that stands for none."""
    if isinstance(value, Decimal):
        return risk(value)
    return SafeString(NOTHING if not value else word(value))


@register.filter
def bps(value: float | None) -> str:
    """Basis points, with their sign; small ones with two places."""
    if value is None:
        return NOTHING
    return signed(Decimal(str(value)), 1 if abs(value) >= 10 else 2)


@register.simple_tag(takes_context=True)
def account_worth(context: Context, account: ExchangeAccount) -> str:
    """The same as on the portfolio's page; it is summed up once a page."""
    kept = context.render_context
    if WORTH not in kept:
        kept[WORTH] = worth_of(account.user).by_account
    found: Decimal | None = kept[WORTH].get(account.pk)
    return money_text(context, found, is_signed=False)
