"""The page on which a new user waits: what is read, how far it is, and the first answers. It turns
into the home page by itself."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import SignedInRequest
from journal.models import Preferences
from journal.selectors.first_run import first_answers, is_wanted, readings
from journal.selectors.preferences import preferences_of
from journal.services import demo

WENT_ON = "first_run_went_on"


@login_required
@never_cache
@require_GET
def first_run(request: SignedInRequest) -> HttpResponse:
    """The page, or its moving part alone; home where there is nothing to wait for."""
    is_part = request.headers.get("X-Part") == "refresh"
    if not is_waiting(request):
        return _over(request) if is_part else redirect("home")
    chosen = preferences_of(request.user)
    parts = readings(request.user)
    context: dict[str, Any] = {
        "parts": parts,
        "answers": first_answers(request.user, chosen),
        "demo_is_coming": not parts and chosen.demo == demo.WANTED,
        "demo_parts": readings(demo.owner_of_original()) if not parts else [],
    }
    template = "journal/_first_run.html" if is_part else "journal/first_run.html"
    return render(request, template, context)


@login_required
@require_POST
def go_on(request: SignedInRequest) -> HttpResponse:
    """To the pages as far as they are known; the reading goes on."""
    request.session[WENT_ON] = True
    return redirect("home")


def is_waiting(request: SignedInRequest) -> bool:
    """Whether this user is better off here than on a page of half a history."""
    if request.session.get(WENT_ON):
        return False
    parts = readings(request.user)
    if not parts:
        wanted = Preferences.objects.filter(user=request.user, demo=demo.WANTED)
        return wanted.exists()
    return is_wanted(parts)


def _over(request: SignedInRequest) -> HttpResponse:
    return render(request, "journal/_first_run_over.html")
