"""An account's history: how far it is known, whether it adds up, and what can be done about it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import own_account
from accounts.models import ExchangeAccount
from accounts.requests import SignedInRequest
from journal.faults import Fault
from journal.models import (
    Balance,
    ConditionalOrder,
    Coverage,
    Difference,
    Fill,
    FuturesPosition,
    LedgerProblem,
    ManualFill,
    OpeningBalance,
    Order,
    Rejected,
    Sync,
    Wallet,
)
from journal.models.guests import LABEL
from journal.selectors.flow_coverage import coverage_of
from journal.services import asking, correcting, demo
from journal.sync.coins import coins_of
from journal.sync.doorkeeping import Busy
from lib.dates import from_ms
from market.models import Listing

MONTHS = 12
LONGEST_SYMBOL = 40
LEAST = Decimal("0.00000001")
# as the columns of a fill
AMOUNT: dict[str, Any] = {"max_digits": 32, "decimal_places": 12}


class ManualForm(forms.Form):
    symbol = forms.CharField(max_length=40, label=gettext_lazy("Symbol"))
    side = forms.ChoiceField(
        choices=[("BUY", gettext_lazy("Buy")), ("SELL", gettext_lazy("Sell"))],
        label=gettext_lazy("Side"),
    )
    price = forms.DecimalField(**AMOUNT, min_value=0, label=gettext_lazy("Price"))
    quantity = forms.DecimalField(**AMOUNT, min_value=LEAST, label=gettext_lazy("Quantity"))
    fee = forms.DecimalField(**AMOUNT, required=False, initial=0, label=gettext_lazy("Fee"))
    fee_asset = forms.CharField(required=False, max_length=20, label=gettext_lazy("Fee asset"))
    time = forms.DateTimeField(label=gettext_lazy("Time (UTC)"))
    why = forms.CharField(required=False, max_length=200, label=gettext_lazy("Why"))


@login_required
@never_cache
@require_GET
def history(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """The page, or its moving part alone."""
    account = own_account(request.user, account_id)
    is_part = request.headers.get("X-Part") == "refresh"
    sync = Sync.objects.filter(account=account).first()
    template = "journal/_history.html" if is_part else "journal/history.html"
    rows = Coverage.objects.visible_to(request.user).filter(account=account)
    differences = Difference.objects.visible_to(request.user).filter(account=account)
    context: dict[str, Any] = {
        "account": account,
        "sync": sync,
        "unreadable": _unreadable(sync),
        "coverage": [(row, _months(row)) for row in rows],
        "months": _month_names(),
        "differences": differences.order_by("wallet", "asset"),
        "lost_fee": differences.filter(cause="missing_fee").first(),
        "off": differences.exclude(cause__in=["", "rounding"]).count(),
        "problems": LedgerProblem.objects.visible_to(request.user).filter(account=account)[:50],
        "problem_count": LedgerProblem.objects.visible_to(request.user)
        .filter(account=account)
        .count(),
        "positions": FuturesPosition.objects.visible_to(request.user).filter(account=account),
        "openings": OpeningBalance.objects.visible_to(request.user).filter(account=account),
        "balances": Balance.objects.visible_to(request.user).filter(account=account),
        "orders": Order.objects.visible_to(request.user).filter(
            account=account, status__in=["NEW", "PARTIALLY_FILLED", "PENDING_NEW"]
        ),
        "waiting": ConditionalOrder.objects.visible_to(request.user).filter(
            account=account, status__in=["NEW", "TRIGGERING"]
        ),
        "manual": ManualFill.objects.visible_to(request.user).filter(account=account),
        "rejected": [
            (row, Fault.from_json(row.fault))
            for row in Rejected.objects.visible_to(request.user).filter(account=account)[:50]
        ],
        "fills": Fill.objects.visible_to(request.user).filter(account=account).count(),
    }
    context["flow_rows"], seconds = coverage_of(request.user, str(account.pk))
    context["flow_eta"] = _duration(seconds) if seconds else ""
    if not is_part:
        context["form"] = ManualForm(initial=request.GET.dict())
    return render(request, template, context)


@login_required
@require_POST
def ask(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """`do` is again, since (a day) or symbol."""
    account = own_account(request.user, account_id)
    wish = request.POST.get("do", "")
    if wish == "since":
        text = request.POST.get("since", "")
        try:
            asking.nothing_older(account, date.fromisoformat(text) if text else None)
        except ValueError:
            messages.error(request, _("Expected a day such as 2026-11-21."))
            return redirect("account-history", account.pk)
    elif wish == "symbol":
        symbol = request.POST.get("symbol", "").replace("\0", "").strip().upper()
        if not _may_exist(account, symbol):
            messages.error(request, _("Binance lists no spot symbol of that name."))
            return redirect("account-history", account.pk)
        asking.read_symbol(account, symbol)
    elif wish == "again":
        asking.read_again(account)
    else:
        return HttpResponseBadRequest(_("Expected something to do with the history."))
    messages.success(request, _("It is read again within seconds."))
    return redirect("account-history", account.pk)


def _may_exist(account: ExchangeAccount, symbol: str) -> bool:
    """Listed, or of two coins that can be told: it may have been delisted before we knew of it."""
    rows = Listing.objects.filter(venue=account.venue)
    listed = {row.symbol: row for row in rows.filter(market="spot", symbol=symbol)}
    quotes = set(rows.values_list("quote_asset", flat=True).distinct())
    is_name = symbol.isalnum() and len(symbol) <= LONGEST_SYMBOL
    return is_name and coins_of(symbol, listed, quotes) is not None


@login_required
@require_POST
def add_manual(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """A fill that the exchange does not tell of."""
    account = own_account(request.user, account_id)
    form = ManualForm(request.POST)
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(request, f"{name}: {' '.join(map(str, errors))}")
        return redirect("account-history", account.pk)
    try:
        correcting.add(account=account, user=request.user, **form.cleaned_data)
    except (correcting.BadCorrection, Busy) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The fill is in, marked as made by hand."))
    return redirect("account-history", account.pk)


@login_required
@require_POST
def remove_manual(request: SignedInRequest, account_id: UUID, fill_id: int) -> HttpResponse:
    account = own_account(request.user, account_id)
    row = get_object_or_404(ManualFill.objects.filter(account=account), pk=fill_id)
    try:
        correcting.remove(row, user=request.user)
    except Busy as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The fill made by hand is gone."))
    return redirect("account-history", account.pk)


@login_required
@require_POST
def demo_data(request: SignedInRequest) -> HttpResponse:
    """`do` is explore or remove."""
    if not demo.is_possible():
        messages.error(request, _("Demo data is there with the simulator only."))
    elif request.POST.get("do") == "remove":
        demo.remove(request.user)
        messages.success(request, _("The demo data is gone."))
    elif not ExchangeAccount.objects.visible_to(request.user).filter(label=LABEL).exists():
        demo.want(request.user)
        messages.success(request, _("The demo account is being connected: its year is read now."))
    return redirect("home")


def _duration(seconds: int) -> str:
    """`40 s`, `12 min` or `3 h`."""
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"


def _unreadable(sync: Sync | None) -> list[tuple[str, str]]:
    """(wallet, what the exchange said) of those that the key may not read."""
    if sync is None:
        return []
    names: dict[str, Any] = dict(Wallet.choices)
    return [(str(names.get(name, name)), answer[0]) for name, answer in sync.unreadable.items()]


def _month_names() -> list[date]:
    """The last twelve, oldest first."""
    today = timezone.now().date().replace(day=1)
    months = [today]
    for _number in range(MONTHS - 1):
        first = months[0]
        months.insert(0, date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1))
    return months


def _months(row: Coverage) -> list[str]:
    """complete, partial or missing of each month; what is read by id is complete as a whole."""
    by_id = row.market == "spot" and row.kind in {Coverage.Kind.FILLS, Coverage.Kind.ORDERS}
    cells = []
    for first in _month_names():
        after = date(first.year + (first.month == 12), first.month % 12 + 1, 1)
        if by_id:
            cells.append("complete" if row.is_complete else "partial" if row.rows else "missing")
            continue
        start = row.from_time.date() if row.from_time else None
        end = row.to_time.date() if row.to_time else None
        if start is None or end is None or start >= after or end < first:
            cells.append("missing")
        elif any(from_ms(a).date() < after and from_ms(b).date() >= first for a, b in row.holes):
            cells.append("partial")
        elif start <= first and end >= min(after, timezone.now().date()):
            cells.append("complete")
        else:
            cells.append("partial")
    return cells
