"""Between the sign-in and the view: the user's networks, the staff's second factor, and the share
of a minute that each class of door gives."""

from collections.abc import Callable
from typing import Any

import structlog
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import limits, step_up
from accounts.shares import spent
from accounts.turns import Turn
from lib.networks import is_within, parse_networks

log = structlog.get_logger(__name__)

# Asked by machines of whoever runs it, many times a minute.
UNLIMITED = ("/healthz", "/readyz", "/metrics")
API = "/api/"
# What nobody enters by a password alone, where something is at stake.
FACTOR_PLACES = ("/admin/", "/staff/", "/status/")
SIGN_IN_PLACES = "/accounts/"


class AccessMiddleware(MiddlewareMixin):
    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        request.began_at = spent()  # type: ignore[attr-defined]
        return _refuse_network(request) or _ask_factor(request) or _take_share(request, view)

    def process_response(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        share: limits.Share | None = getattr(request, "rate_share", None)
        if share is not None:
            share.tell(answer)
        if hasattr(request, "asked_by"):
            limits.settle(request)
        turn: Turn | None = getattr(request, "heavy_turn", None)
        if turn is not None:
            turn.end()
        return answer


def _refuse_network(request: HttpRequest) -> HttpResponse | None:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None
    networks = request.user.networks
    if not networks or is_within(request.META.get("REMOTE_ADDR", ""), parse_networks(networks)):
        return None
    log.warning("network refused", user=request.user.pk)
    sentence = _("Your account may not be used from your network.")
    if request.path.startswith(API):
        return JsonResponse({"code": "network_not_allowed", "detail": sentence}, status=403)
    return HttpResponse(sentence, status=403, content_type="text/plain")


def _ask_factor(request: HttpRequest) -> HttpResponse | None:
    if settings.BINANCE == "simulator" or not request.path.startswith(FACTOR_PLACES):
        return None
    user = request.user
    if not user.is_authenticated or step_up.has_used_factor(request):
        return None
    if not is_mfa_enabled(user):
        messages.warning(request, _("This page asks for a second factor: set one up first."))
        return redirect("mfa_index")
    query = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('mfa_reauthenticate')}?{query}")


def _take_share(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse | None:
    """The API counts for itself, once it knows whose token it is."""
    if request.path.startswith((API, settings.STATIC_URL)) or request.path in UNLIMITED:
        return None
    method = request.method or "GET"
    is_sign_in = request.path.startswith(SIGN_IN_PLACES) and method == "POST"
    rate = limits.rate_of(view, request, method, "sign-in" if is_sign_in else None)
    share = limits.knock(request, rate, limits.who_asks(request))
    if not share.is_spent:
        return None
    return render(request, "429.html", {"seconds": share.seconds}, status=429)
