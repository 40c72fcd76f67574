"""A trade's pictures: added, shown to their owner, removed."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import SignedInRequest
from journal.models import Screenshot, Trade
from journal.services import pictures
from journal.views.bar import own_trade


@login_required
@require_POST
def add_picture(request: SignedInRequest, trade_id: int) -> HttpResponse:
    trade = own_trade(request.user, trade_id)
    try:
        pictures.add(user=request.user, trade=trade, file=request.FILES.get("picture"))
    except pictures.BadPicture as error:
        messages.error(request, str(error))
    return redirect("trade", trade.pk)


@login_required
@require_GET
def picture(request: SignedInRequest, picture_id: UUID) -> HttpResponse:
    """Its owner's only; a browser may keep it, nobody between may."""
    screenshot = get_object_or_404(Screenshot.objects.visible_to(request.user), pk=picture_id)
    answer = HttpResponse(bytes(screenshot.image), content_type="image/webp")
    answer["Cache-Control"] = "private, max-age=86400"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@login_required
@require_POST
def remove_picture(request: SignedInRequest, picture_id: UUID) -> HttpResponse:
    screenshot = get_object_or_404(Screenshot.objects.visible_to(request.user), pk=picture_id)
    trade_row = Trade.objects.visible_to(request.user).filter(key=screenshot.trade_key).first()
    screenshot.delete()
    return redirect("trade", trade_row.pk) if trade_row else redirect("trades")
