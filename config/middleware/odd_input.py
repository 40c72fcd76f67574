"""One mechanism for odd input at every page and API: 400 with a sentence.

What can be seen beforehand (NUL, half characters) is refused before any view; what only the store
or the arithmetic finds (a number wider than its column, a date past the calendar's end) is turned
into the same answer, whichever view it came from.
"""

import decimal
from typing import Any

import structlog
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.utils.deprecation import MiddlewareMixin

from lib.odd_input import problem_of_text

log = structlog.get_logger(__name__)

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SENTENCE = "A value cannot be kept: it is too long, too large, or out of range."


class PlainInput(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        problem = _problem(request)
        return None if problem is None else refusal(request, f"{problem[:1].upper()}{problem[1:]}.")

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_odd_input(error, request):
            return None
        log.warning("odd input refused", path=request.path, error=type(error).__name__)
        return refusal(request, SENTENCE)


def is_odd_input(error: BaseException, request: HttpRequest) -> bool:
    """Whether an error can only come from a value that somebody sent."""
    if isinstance(error, DataError | OverflowError | decimal.DecimalException | UnicodeError):
        return True
    if isinstance(error, RecursionError):
        return request.method not in {"GET", "HEAD", "OPTIONS"}
    return isinstance(error, ValueError) and "NUL (0x00)" in str(error)


def refusal(request: HttpRequest, sentence: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": sentence}, status=400)
    return HttpResponseBadRequest(sentence, content_type="text/plain; charset=utf-8")


def _problem(request: HttpRequest) -> str | None:
    texts: list[Any] = [request.path, *request.GET]
    texts += [text for values in request.GET.lists() for text in values[1]]
    if request.content_type in FORMS and not request.path.startswith("/api/"):
        form = request.POST
        texts += [*form, *(text for values in form.lists() for text in values[1])]
    return next((p for p in map(problem_of_text, texts) if p), None)
