"""What the API answers when a value cannot be kept, and the parser that refuses what it can see."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from config.middleware.odd_input import SENTENCE, is_odd_input
from lib.odd_input import problem_of


class PlainJSONParser(JSONParser):
    """Raises ParseError for NUL, half characters, endless nesting and numbers without end."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            value = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("Expected JSON of at most 32 levels of nesting.") from error
        problem = problem_of(value)
        if problem is not None:
            raise ParseError(f"{problem[:1].upper()}{problem[1:]}.")
        return value


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    request = context.get("request")
    if request is not None and is_odd_input(error, request._request):
        set_rollback()
        return Response({"detail": SENTENCE}, status=400)
    return exception_handler(error, context)
