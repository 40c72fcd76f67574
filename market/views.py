"""Pages of the market; what moves on them comes over the live socket."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from market.models import Instrument
from market.overview import overview
from market.status import last_gaps, tape_statuses


def _followed() -> list[Instrument]:
    return list(Instrument.objects.filter(venue=settings.VENUE, is_followed=True))


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "market/home.html", {"rows": overview(_followed())})


@login_required
@require_GET
def market(request: HttpRequest, symbol: str) -> HttpResponse:
    instrument = get_object_or_404(
        Instrument, venue=settings.VENUE, market="spot", symbol=symbol.upper()
    )
    return render(request, "market/market.html", {"instrument": instrument, "others": _followed()})


@login_required
@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """The whole page, or its moving part alone."""
    is_part = request.headers.get("X-Part") == "refresh"
    template = "market/_status.html" if is_part else "market/status.html"
    context = {"rows": tape_statuses(_followed()), "gaps": last_gaps(20)}
    return render(request, template, context)
