"""Pages of the market; what moves on them comes over the live socket."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from lib.dates import INTERVALS
from market.archive import bans, troubles
from market.models import Instrument, Listing
from market.selectors import figures
from market.selectors.overview import WINDOWS, overview
from market.selectors.status import last_gaps, tape_statuses
from market.services.following import not_traded


def _followed() -> list[Instrument]:
    return list(Instrument.objects.filter(venue=settings.VENUE, is_followed=True))


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "market/home.html", {"rows": overview(_followed()), "windows": WINDOWS})


@login_required
@require_GET
def market(request: HttpRequest, symbol: str) -> HttpResponse:
    return _market(request, "spot", symbol)


@login_required
@require_GET
def future(request: HttpRequest, symbol: str) -> HttpResponse:
    return _market(request, "usdm", symbol)


def _market(request: HttpRequest, name: str, symbol: str) -> HttpResponse:
    if "\0" in symbol:  # no text of PostgreSQL's
        raise Http404
    here = Instrument.objects.filter(venue=settings.VENUE, symbol=symbol.upper())
    instrument = here.filter(market=name).first()
    if instrument is None:  # nobody ever followed it
        listed = Listing.objects.filter(venue=settings.VENUE).exclude(status="DELISTED")
        listing = get_object_or_404(listed, market=name, symbol=symbol.upper())
        return render(request, "market/not_followed.html", {"listing": listing})
    context = {
        "instrument": instrument,
        "intervals": list(INTERVALS),
        "not_traded": not_traded(name).get((name, instrument.symbol), ""),
        # the same symbol's other market, to switch to and to compare with
        "pair": here.exclude(market=name).filter(is_followed=True).first(),
    }
    return render(request, "market/market.html", context)


@login_required
@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """The whole page, or its moving part alone."""
    is_part = request.headers.get("X-Part") == "refresh"
    template = "market/_status.html" if is_part else "market/status.html"
    context = {
        "rows": tape_statuses(_followed()),
        "gaps": last_gaps(20),
        "bans": bans.standing(),
        "troubles": troubles.newest(),
        "figures": figures.told() if request.user.is_staff else [],
    }
    return render(request, template, context)
