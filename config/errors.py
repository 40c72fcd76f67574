"""What is said when a page cannot be given: each with the way on. The API answers in JSON."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.views import defaults

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return JsonResponse({"detail": "Expected a request that can be read."}, status=400)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address of the API that names nothing, `/api/trades/x` too."""
    if request.path.startswith(API):
        return JsonResponse({"detail": "Expected the address of something here."}, status=404)
    return defaults.page_not_found(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that stood too long, or came from elsewhere: nothing was done."""
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks nothing: neither database nor session need be there."""
    if request.path.startswith(API):
        return JsonResponse({"detail": "Something went wrong here; it is in the log."}, status=500)
    return HttpResponse(get_template("500.html").render({}), status=500)
