"""The door of guests: one press on the sign-in page of a simulated server."""

from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.services import sign_ins
from journal.models.guests import STAYS
from journal.services import guests

BACKEND = "accounts.backends.SignInBackend"


@never_cache
@require_POST
def guest(request: HttpRequest) -> HttpResponse:
    """Signs a fresh guest in; whoever is signed in already goes home as they are."""
    if request.user.is_authenticated:
        return redirect("home")
    if not guests.are_welcome():
        raise Http404
    try:
        user = guests.welcome(zone=request.POST.get("zone", ""))
    except guests.NoRoom:
        messages.error(
            request,
            _("The demo is full just now. Try again later, or create an account of your own."),
        )
        return redirect("account_login")
    login(request, user, backend=BACKEND)
    sign_ins.note_sign_in(user, request)
    request.session.set_expiry(int(STAYS.total_seconds()))
    return redirect("home")
