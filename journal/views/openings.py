"""What was there before the history, on the page of an account's history."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import ExchangeAccount
from accounts.requests import SignedInRequest
from journal.models import OpeningBalance
from journal.services import beginning
from journal.tasks import settle_soon


@login_required
@require_POST
def accept(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """`wallet` and `asset` name the balance whose difference is taken."""
    account = get_object_or_404(ExchangeAccount.objects.visible_to(request.user), pk=account_id)
    wallet, asset = (request.POST.get(name, "") for name in ("wallet", "asset"))
    try:
        beginning.accept(account=account, user=request.user, wallet=wallet, asset=asset)
    except beginning.BadOpening as error:
        messages.error(request, str(error))
    else:
        settle_soon()
        messages.success(request, _("Taken as there before the history. It can be taken back."))
    return redirect("account-history", account.pk)


@login_required
@require_POST
def take_back(request: SignedInRequest, account_id: UUID, opening_id: int) -> HttpResponse:
    own = OpeningBalance.objects.visible_to(request.user).filter(account=account_id)
    opening = get_object_or_404(own, pk=opening_id)
    beginning.take_back(opening, user=request.user)
    settle_soon()
    messages.success(request, _("Undone."))
    return redirect("account-history", account_id)
