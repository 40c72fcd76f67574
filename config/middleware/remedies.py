"""An error of the API tells where its entry in the troubleshooting guide is, as RFC 8288 has it:
`Link: <…>; rel="help"`."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from config.remedies import address_of


class HelpLinks(MiddlewareMixin):
    def process_response(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        if answer.status_code >= 400 and request.path.startswith("/api/"):
            data: Any = getattr(answer, "data", None)
            code = data.get("code") if isinstance(data, Mapping) else None
            address = address_of("api", str(code)) if code else None
            address = address or address_of("status", str(answer.status_code))
            if address:
                answer["Link"] = f'<{address}>; rel="help"'
        return answer
