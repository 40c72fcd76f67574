"""What is held, in all wallets, at the newest prices, and whether that is so."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import ExchangeAccount
from accounts.requests import SignedInRequest
from journal.drawings.curves import Curves, Line, curves, day_words, of_days
from journal.drawings.scales import short
from journal.models import DailyBalance, Difference, Payment
from journal.selectors.preferences import preferences_of
from journal.services import open_results, proving
from journal.services.worth import allocation, exposure, worth_of
from journal.views.bar import is_first_reading

Days = list[tuple[date, Decimal]]


@login_required
@never_cache
@require_GET
def portfolio(request: SignedInRequest) -> HttpResponse:
    accounts = list(ExchangeAccount.objects.visible_to(request.user))
    wanted = request.GET.get("account", "")
    account = wanted if wanted in {str(item.pk) for item in accounts} else ""
    chosen = preferences_of(request.user)
    worth = worth_of(request.user, account)
    values = _values(request, account)
    off = Difference.objects.visible_to(request.user).of_account(account)
    positions = open_results.results_of(request.user, chosen, worth.positions)
    context = {
        "worth": worth,
        "currency": request.user.report_currency,
        "positions": positions,
        "positions_account": account,
        "open_sum": open_results.sum_of(positions, chosen),
        "unit_suffix": open_results.suffix_of(chosen),
        "accounts": accounts,
        "account": account,
        "slices": allocation(worth.holdings),
        "exposure": exposure(request.user, worth, account),
        "history": _drawn(values, _equity(request, values, account)),
        "day_count": len(values),
        "is_coming": is_first_reading(request.user),
        "differences": off.exclude(cause__in=["", "rounding"]).count(),
        **_proof(request, account),
    }
    return render(request, "journal/portfolio.html", context)


def _values(request: SignedInRequest, account: str) -> Days:
    """Dollars at each day's end, of days on which every wallet had a price."""
    rows = (
        DailyBalance.objects.visible_to(request.user)
        .of_account(account)
        .values("day")
        .annotate(value=Sum("value_usd"))
        .order_by("day")
    )
    return [(row["day"], row["value"]) for row in rows if row["value"] is not None]


def _equity(request: SignedInRequest, values: Days, account: str) -> Days:
    """The same without what was put in or taken out since the first of these days."""
    if not values:
        return []
    moved = (
        Payment.objects.visible_to(request.user)
        .of_account(account)
        .filter(kind__in=[Payment.Kind.DEPOSIT, Payment.Kind.WITHDRAWAL])
        .filter(time__date__gt=values[0][0])
        .annotate(day=TruncDate("time"))
        .values("day")
        .annotate(sum=Sum("worth"))
        .order_by("day")
    )
    flows = [(row["day"], row["sum"] or Decimal(0)) for row in moved]
    points = []
    for day, value in values:
        put_in = sum((amount for at, amount in flows if at <= day), Decimal(0))
        points.append((day, value - put_in))
    return points


def _drawn(values: Days, equity: Days) -> Curves | None:
    lines = [
        Line(_("Value"), "mixed", of_days(values)),
        Line(_("Equity"), "accent", of_days(equity)),
    ]
    return curves(
        lines,
        lambda value: short(value, before="$", is_signed=False),
        day_words(lambda day: date_format(day, "j M")),
        with_zero=False,
    )


def _proof(request: SignedInRequest, account: str) -> dict[str, Any]:
    """Of all accounts, or of the one that is asked for."""
    proof = proving.prove_now(request.user, account)
    reasons = [(reason, proving.sentence(reason)) for reason in proof.reasons] if proof else []
    return {"proof": proof, "reasons": reasons}
