"""The page on which a new user waits: what is read, how far it is, and the first answers. It turns
into the home page by itself."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import ExchangeAccount
from accounts.requests import SignedInRequest
from journal.models import Preferences
from journal.selectors.first_run import first_answers, is_anything_read, readings
from journal.selectors.preferences import preferences_of
from journal.services import demo

WENT_ON = "first_run_went_on"


@login_required
@never_cache
@require_GET
def first_run(request: SignedInRequest) -> HttpResponse:
    """Of its own address; home shows the same while there is something to wait for."""
    return show(request) if is_waiting(request) else redirect("home")


def show(request: SignedInRequest) -> HttpResponse:
    """The page, or its moving part alone."""
    is_part = request.headers.get("X-Part") == "refresh"
    chosen = preferences_of(request.user)
    parts = readings(request.user)
    context: dict[str, Any] = {
        "parts": parts,
        "answers": first_answers(request.user, chosen),
        "demo_is_coming": not parts and chosen.demo == demo.WANTED,
        "demo_parts": [] if parts else [one for user in demo.readers() for one in readings(user)],
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
    if not ExchangeAccount.objects.visible_to(request.user).exists():
        wanted = Preferences.objects.filter(user=request.user, demo=demo.WANTED)
        return wanted.exists()
    return not is_anything_read(request.user)
