"""The application as Schemathesis calls it: in this process, each request in a savepoint that is
rolled back, so that every case meets the same data."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

SIGNALS = (request_started, request_finished)


class Door(WSGIHandler):
    """Everybody who comes is signed in by `session`, whatever else they bring; tests of the form's
    token and of other sign-ins stand elsewhere."""

    def __init__(self, session: str) -> None:
        super().__init__()
        self._cookie = f"{settings.SESSION_COOKIE_NAME}={session}"

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return super().get_response(request)

    def serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        for signal in SIGNALS:  # the connection is the test's, and stays
            signal.disconnect(close_old_connections)
        environ["HTTP_COOKIE"] = self._cookie
        environ.pop("HTTP_AUTHORIZATION", None)
        try:
            with transaction.atomic():
                answer: Any = self(environ, start_response)
                parts: list[bytes] = [*answer]
                answer.close()
                transaction.set_rollback(True)
        finally:
            for signal in SIGNALS:
                signal.connect(close_old_connections)
        return parts
