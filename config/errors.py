"""What is said when a page cannot be given: each with the way on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that stood too long, or came from elsewhere: nothing was done."""
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks nothing: neither database nor session need be there."""
    return HttpResponse(get_template("500.html").render({}), status=500)
