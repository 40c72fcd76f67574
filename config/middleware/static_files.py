"""Static files, answered whole: they are small, and a body that is read piece by piece holds a
thread for as long as its reader takes."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        told = static_file.get_response(request.method, request.META)
        body = b""
        if told.file is not None:
            with told.file as file:
                body = file.read()
        answer = HttpResponse(body, status=int(told.status))
        del answer["Content-Type"]
        for name, value in told.headers:
            answer[name] = value
        return answer
