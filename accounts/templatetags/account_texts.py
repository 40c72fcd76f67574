"""What was found at an account, in sentences."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from accounts.services import valuation

register = template.Library()


def refusal_text(problem: str) -> str:
    """Why a key was not taken; nothing of it was kept."""
    texts = {
        "bad_key": _(
            "Binance does not accept this key: it is unknown or was deleted, lacks a permission, "
            "or is bound to another address. Nothing was kept."
        ),
        "signature": _(
            "The secret does not belong to this key. Copy both again. Nothing was kept."
        ),
        "may_withdraw": _(
            "This key may withdraw or transfer. Tapelog does not keep such keys: turn that off at "
            "Binance, or make a new key. Nothing was kept."
        ),
        "no_reading": _(
            "This key may not read. Tick “Enable Reading” at Binance. Nothing was kept."
        ),
        "connected_twice": _("This Binance account is connected already. Nothing was kept."),
    }
    return texts.get(problem, problem_text(problem))


@register.filter
def problem_text(problem: str) -> str:
    """Why an account does not work, and what to do."""
    texts = {
        "bad_key": _(
            "Binance does not accept the key: it is unknown or was deleted, lacks a "
            "permission, or is bound to another address. Check it, or replace it."
        ),
        "signature": _(
            "The secret does not belong to this key. Copy both again and replace the key."
        ),
        "clock": _(
            "The clocks of this server and Binance differ too much: its operator has to "
            "set the time."
        ),
        "may_withdraw": _(
            "This key may withdraw or transfer, so it was refused and forgotten. "
            "Make one without those permissions and replace the key."
        ),
        "no_reading": _("The key may not read. Tick “Enable Reading” at Binance and look again."),
        "connected_twice": _(
            "This Binance account is connected already, so the key was forgotten."
        ),
        "another_account": _(
            "The key belongs to another Binance account, so it was forgotten. "
            "Connect that one by itself."
        ),
        "busy": _(
            "This server's budget of questions to Binance is used up for a moment. It is "
            "tried again by itself."
        ),
        "unreachable": _("Binance does not answer just now. It is tried again by itself."),
        "refused": _("Binance refused a question. Look again later, or replace the key."),
        "sealed": _("This server cannot open the key: its operator has to look at the key files."),
        "files_only": _(
            "From files alone: nothing is asked at Binance. Give it a key whenever you "
            "like; what the files told stays."
        ),
        "disconnected": _("Disconnected: the key is forgotten, the data stay."),
    }
    return texts.get(problem, problem)


@register.filter
def outcome_text(outcome: str) -> str:
    return {"ok": "✓", "note": "!", "bad": "✗"}.get(outcome, outcome)


@register.filter
def check_text(check: Mapping[str, str]) -> str:
    """One check as a sentence."""
    detail = check.get("detail", "")
    texts = {
        "clock": _("Clocks: Binance's is %(detail)s against ours."),
        "key exists": _("Binance knows the key. %(detail)s"),
        "signature": _("The secret signs. %(detail)s"),
        "reachable": _("Binance answers. %(detail)s"),
        "no withdrawals": _("The key cannot withdraw or transfer. %(detail)s"),
        "reading": _("The key may read. %(detail)s"),
        "spot": _("Spot account. %(detail)s"),
        "open orders": _("Open orders. %(detail)s"),
        "prices": _("Prices. %(detail)s"),
        "same account": _("One connection a Binance account. %(detail)s"),
        "key opens": _("The sealed key opens. %(detail)s"),
    }
    special = {
        ("ip restriction", "ok"): _("The key is bound to an address."),
        ("ip restriction", "note"): _("The key works from any address: bind it to this server's."),
        ("futures", "ok"): _("Futures account."),
        ("trading", "ok"): _("The key cannot trade: the journal only reads."),
        ("trading", "note"): _("The key may trade. The journal does not need that."),
    }
    name, outcome = check.get("name", ""), check.get("outcome", "")
    if outcome == "bad":
        wrong = {
            "key exists": _("Binance does not accept the key."),
            "signature": _("The secret does not sign for this key."),
            "no withdrawals": _("The key may withdraw or transfer."),
            "reading": _("The key may not read."),
            "same account": _("This Binance account is connected already, or is another one."),
            "key opens": _("The sealed key does not open."),
            "clock": _("The clocks differ too much."),
            "reachable": _("Binance does not answer."),
        }
        return f"{wrong.get(name, name)} {detail}".strip()
    if (name, outcome) in special:
        return special[name, outcome]
    if name == "futures":
        return _("Futures are not read: %(detail)s") % {"detail": detail}
    return (texts.get(name, name) % {"detail": detail}).strip() if name in texts else name


@register.simple_tag
def worth(dollars: str | None, snapshot: Mapping[str, Any], currency: str) -> str:
    """A dollar value in the report currency, `–` where it is not known."""
    value = valuation.in_currency(dollars, snapshot, currency)
    if value is None:
        return "–"
    return grouped(f"{Decimal(value):.2f}" if currency in valuation.IN_CENTS else value)


@register.filter
def grouped(amount: str) -> str:
    """Exact decimal text with thousands apart: 62289.47636555 -> 62,289.47636555."""
    sign, digits = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    whole, point, fraction = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}" if whole.isdigit() else amount
