"""Following a market from its page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.requests import SignedInRequest
from journal.models import Market
from journal.services import watching


@login_required
@require_POST
def follow(request: SignedInRequest) -> HttpResponse:
    """`market` and `symbol` go on the user's first watch-list."""
    market, symbol = request.POST.get("market", ""), request.POST.get("symbol", "")
    try:
        watching.watch(user=request.user, market=market, symbol=symbol)
    except watching.BadList as error:
        messages.error(request, str(error))
        return redirect("markets")
    return redirect("future" if market == Market.USDM else "market", symbol.strip().upper())
