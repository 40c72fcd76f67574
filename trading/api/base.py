"""What the endpoints of orders have in common."""

import math
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from trading.errors import TradingError

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Up to 64 of A-Za-z0-9_-.",
    pattern="^[A-Za-z0-9_-]{1,64}$",
)


class TradingAPIView(APIView):
    """A TradingError is its own answer."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, TradingError):
            return refusal(exc)
        return super().handle_exception(exc)


def refusal(error: TradingError) -> Response:
    seconds = getattr(error, "seconds", None)
    headers = {} if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))}
    return Response(error.as_json(), status=error.status, headers=headers)


def key_of(request: Request) -> str | None:
    return request.headers.get("Idempotency-Key")


def user_of(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user


def answer(body: Any, status: int = 200) -> Response:
    return Response(body, status=status)
