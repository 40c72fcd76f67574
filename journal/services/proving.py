"""The proof of a user's accounts as of now: what is shown as earned is the change of wealth."""

from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ExchangeAccount, User
from journal.books.proof import Proof, Reason, prove
from journal.models import Balance, Book, FuturesPosition, Market, OpenPosition
from journal.services.live_prices import dollars_now, newest_prices
from journal.shapes.exchange import ProofAnswer
from lib.cash import CURRENCIES, own_name
from lib.decimals import plain


def prove_now(user: User, account: str = "", currency: str = "") -> Proof | None:
    """Of one account or of all; None where there is none."""
    accounts = ExchangeAccount.objects.visible_to(user)
    if account:
        accounts = accounts.filter(pk=account)
    if not accounts.exists():
        return None
    currency = currency or user.report_currency
    mine = {"account__in": accounts}
    assets = {currency}
    for rows, name in (
        (Balance.objects.filter(**mine), "asset"),
        (OpenPosition.objects.filter(**mine, market=Market.SPOT), "base"),
        (OpenPosition.objects.filter(**mine), "quote"),
        (Book.objects.filter(**mine, market=Market.SPOT, name__in=CURRENCIES), "name"),
    ):
        assets |= {own_name(asset) for asset in rows.values_list(name, flat=True).distinct()}
    worths = dollars_now(assets)
    contracts = {
        (str(Market.USDM), symbol)
        for rows in (
            OpenPosition.objects.filter(**mine, market=Market.USDM),
            FuturesPosition.objects.filter(**mine),
        )
        for symbol in rows.values_list("symbol", flat=True).distinct()
    }
    marks = newest_prices(contracts)
    told = dict(FuturesPosition.objects.filter(**mine).values_list("symbol", "mark_price"))

    def price_of(asset: str) -> Decimal | None:
        return worths[asset].price if asset in worths else None

    def mark_of(symbol: str) -> Decimal | None:
        mark = marks.get((Market.USDM, symbol))
        return mark.price if mark else told.get(symbol)

    return prove(accounts, currency, price_of, mark_of, timezone.now())


def as_answer(proof: Proof) -> ProofAnswer:
    """Exact decimal text; times in epoch ms."""
    return {
        "currency": proof.currency,
        "at": int(proof.at.timestamp() * 1000),
        "since": int(proof.since.timestamp() * 1000) if proof.since else None,
        "opening": plain(proof.opening),
        "worth": plain(proof.worth),
        "deposits": plain(proof.deposits),
        "withdrawals": plain(proof.withdrawals),
        "realised": plain(proof.realised),
        "unrealised": plain(proof.unrealised),
        "income": plain(proof.income),
        "currency_effect": plain(proof.currency_effect),
        "unexplained": plain(proof.unexplained),
        "difference": plain(proof.difference),
        "may_be_off": plain(proof.may_be_off),
        "apart": plain(proof.apart),
        "taken_along": plain(proof.taken_along),
        "tax_realised": plain(proof.tax_realised),
        "tax_unrealised": plain(proof.tax_unrealised),
        "by_stated_costs": plain(proof.by_stated_costs),
        "reasons": [
            {
                "kind": reason.kind,
                "count": reason.count,
                "worth": plain(reason.worth),
                "assets": reason.assets,
                "text": sentence(reason),
            }
            for reason in proof.reasons
        ],
    }


def sentence(reason: Reason) -> str:
    """For the account's owner."""
    text = {
        "oversold": _("More left than is known to have come in: an earlier row is missing."),
        "missing_price": _("No price was known within the hour before."),
        "no_price_now": _("No market says what it is worth now."),
        "missing_rate": _("The report currency has no price now."),
        "history_begins_inside_a_position": _("The history begins inside a position."),
        "exchange_differs": _(
            "The exchange tells another profit or entry than its own rule gives."
        ),
        "funding_without_position": _("Funding was paid with nothing known to be held."),
        "result_without_fills": _("The exchange booked results of fills that nobody told."),
        "unknown_income": _("Lines of a kind that is not known count as income."),
        "margin_not_supported": _("Margin trading is not followed."),
        "duplicate": _("The same row came twice and counts once."),
        "conflict": _("One id came with two contents."),
        "still_reading": _("The history is not read to its end yet: these are the numbers so far."),
        "book_due": _("Its results are being computed."),
        "book_not_built": _("A book could not be computed; it is tried again."),
    }.get(reason.kind, reason.kind)
    return f"{', '.join(reason.assets)}: {text}" if reason.assets else text
