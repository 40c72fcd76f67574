"""Confirming that it is still you: a sign-in, password or second factor of the last minutes.

Only a session can confirm; a token cannot, so what needs it is a session's only.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]


class StepUpNeeded(APIException):
    """403 that names the page where one confirms."""

    status_code = 403
    default_code = "step_up"

    def __init__(self, *, factor: bool = False) -> None:
        how = "with your second factor" if factor else "with your password or second factor"
        super().__init__(
            {
                "code": "step_up",
                "detail": f"Confirm {how} first.",
                "url": reverse("mfa_reauthenticate" if factor else "account_reauthenticate"),
            }
        )


def is_fresh(request: HttpRequest | Request) -> bool:
    """Signed in or confirmed within the last minutes, by this session."""
    return any(_is_recent(record) for record in _records(request))


def has_fresh_factor(request: HttpRequest | Request) -> bool:
    """The same by a second factor; at a simulated exchange nothing is at stake."""
    if settings.BINANCE == "simulator":
        return True
    return any(_is_recent(record) for record in _records(request) if record["method"] == "mfa")


def has_used_factor(request: HttpRequest | Request) -> bool:
    """Whether this session was opened, or confirmed since, with a second factor."""
    return any(record["method"] == "mfa" for record in _records(request))


def need_fresh(request: HttpRequest | Request) -> None:
    """Raises StepUpNeeded."""
    if not is_fresh(request):
        raise StepUpNeeded


def need_fresh_factor(request: HttpRequest | Request) -> None:
    """Raises StepUpNeeded."""
    if not has_fresh_factor(request):
        raise StepUpNeeded(factor=True)


def step_up_required(view: View[P]) -> View[P]:
    """A page that is shown, and a form that is taken, only from a fresh session. What was posted is
    never kept meanwhile: it may hold a key."""

    @wraps(view)
    def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_fresh(request) else to_confirmation(request)

    return guarded


def to_confirmation(request: HttpRequest) -> HttpResponse:
    """To the page where one confirms, and from there back."""
    page = f"{reverse('account_reauthenticate')}?{urlencode({'next': _way_back(request)})}"
    if "HX-Request" in request.headers:
        return HttpResponse(status=403, headers={"HX-Redirect": page})
    return redirect(page)


def _way_back(request: HttpRequest) -> str:
    """The page itself, or the one whose form was sent."""
    if request.method == "GET":
        return request.get_full_path()
    origin = urlsplit(request.headers.get("Referer", ""))
    return origin.path if origin.path and origin.netloc == request.get_host() else "/"


def _records(request: HttpRequest | Request) -> list[dict[str, Any]]:
    plain = request._request if isinstance(request, Request) else request
    if not hasattr(plain, "session") or not request.user.is_authenticated:
        return []
    records: list[dict[str, Any]] = get_authentication_records(plain, request.user)
    return records


def _is_recent(record: dict[str, Any]) -> bool:
    age = time.time() - float(record["at"])
    return -5 < age < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
