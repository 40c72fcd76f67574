"""Each request gets an id that all of its log lines carry, and is timed by its route."""

import re
import time
import uuid

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from config.measures.timing import REQUEST_SECONDS, REQUESTS, route_of
from market.hot import tally

log = structlog.get_logger(__name__)

SLOW_SECONDS = 2.0
# Asked from the first moment on, while the process is still loading.
MAY_BE_SLOW = {"readyz", "healthz"}
# What a proxy may hand in as the id; anything else is ours.
PLAUSIBLE = re.compile(r"[A-Za-z0-9-]{8,64}")


class Measured(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        given = request.headers.get("X-Request-ID", "")
        request.begun_at = time.perf_counter()  # type: ignore[attr-defined]
        request.request_id = given if PLAUSIBLE.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        begun_at: float | None = getattr(request, "begun_at", None)
        if begun_at is None:
            return answer
        seconds = time.perf_counter() - begun_at
        route = route_of(request.resolver_match)
        tally.observe(REQUEST_SECONDS, seconds, route)
        tally.count(REQUESTS, route, f"{answer.status_code // 100}xx")
        if seconds > SLOW_SECONDS and route not in MAY_BE_SLOW:
            log.warning(
                "slow request", route=route, status=answer.status_code, ms=round(seconds * 1000)
            )
        answer.setdefault("X-Request-ID", request.request_id)  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        return answer
