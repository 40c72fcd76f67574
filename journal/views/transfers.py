"""What came to an account and left it without an order; what deposits had cost is stated here."""

from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import own_account
from accounts.requests import SignedInRequest
from journal.books.stated import deposit_of
from journal.models import StatedCost, Transfer
from journal.services import stating
from journal.tasks import settle_soon

LINES_A_PAGE = 100


class CostForm(forms.Form):
    cost = forms.DecimalField(max_digits=26, decimal_places=8)
    bought = forms.DateField()


@login_required
@never_cache
@require_GET
def transfers(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """Newest first; `kind` limits them."""
    account = own_account(request.user, account_id)
    rows = Transfer.objects.visible_to(request.user).filter(account=account)
    kind = request.GET.get("kind", "")
    if kind in Transfer.Kind.values:
        rows = rows.filter(kind=kind)
    page = Paginator(rows, LINES_A_PAGE).get_page(request.GET.get("page"))
    stated = {
        deposit.pk: row
        for row in StatedCost.objects.visible_to(request.user).filter(account=account)
        if (deposit := deposit_of(row)) is not None
    }
    context: dict[str, Any] = {
        "account": account,
        "page": page,
        "kind": kind,
        "query_without_page": urlencode({"kind": kind}),
        "kinds": Transfer.Kind.choices,
        "lines": [(row, stated.get(row.pk), stating.may_state(row)) for row in page.object_list],
    }
    return render(request, "journal/transfers.html", context)


@login_required
@require_POST
def cost(request: SignedInRequest, account_id: UUID, transfer_id: int) -> HttpResponse:
    """`do` take_back, else `cost` in dollars and `bought`, a day (UTC)."""
    account = own_account(request.user, account_id)
    mine = Transfer.objects.visible_to(request.user).filter(account=account)
    deposit = get_object_or_404(mine, pk=transfer_id)
    if request.POST.get("do") == "take_back":
        stating.take_back(deposit, user=request.user)
        settle_soon()
        messages.success(request, _("Undone."))
        return redirect("account-transfers", account.pk)
    form = CostForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Expected a cost in dollars and a day such as 2026-11-21."))
        return redirect("account-transfers", account.pk)
    try:
        stating.state(
            deposit,
            cost=form.cleaned_data["cost"],
            bought_at=datetime.combine(form.cleaned_data["bought"], time.min, UTC),
            user=request.user,
        )
    except stating.BadStatement as error:
        messages.error(request, str(error))
    else:
        settle_soon()
        messages.success(request, _("Kept: the tax report counts with it within seconds."))
    return redirect("account-transfers", account.pk)
