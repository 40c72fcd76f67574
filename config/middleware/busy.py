"""What meets a row that somebody else holds is no error: the page or the API says to come again.
Nothing half-done is kept, since PostgreSQL has ended the transaction."""

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import get_template
from django.utils.deprecation import MiddlewareMixin

from config.errors import API
from market.jobs.guarding import is_busy

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 5
SENTENCE = (
    "Something else is at the same data just now; nothing was changed. Try again in a moment."
)


class Busy(MiddlewareMixin):
    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_busy(error):
            return None
        log.warning("busy", path=request.path, error=type(error.__cause__).__name__)
        if request.path.startswith(API):
            answer: HttpResponse = JsonResponse({"detail": SENTENCE, "code": "busy"}, status=503)
        else:
            answer = HttpResponse(get_template("503.html").render({}), status=503)
        answer["Retry-After"] = str(AGAIN_SECONDS)
        return answer
