"""Templates of brackets, chosen in the ticket."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from lib.openapi import gives
from trading.api.base import TradingAPIView, answer, user_of
from trading.errors import BadOrder
from trading.models import Bracket
from trading.sentences import told as _
from trading.services.bracketing import bracket_row, put_brackets
from trading.shapes import BracketsAnswer, BracketsAsked


class BracketsView(TradingAPIView):
    scopes: ClassVar = {"PUT": Scope.JOURNAL}

    @extend_schema(responses=gives(BracketsAnswer))
    def get(self, request: Request) -> Response:
        rows = Bracket.objects.filter(user=user_of(request))
        return answer({"brackets": [bracket_row(row) for row in rows]})

    @extend_schema(request=BracketsAsked, responses=gives(BracketsAnswer))
    def put(self, request: Request) -> Response:
        body = request.data
        if not isinstance(body, dict) or set(body) != {"brackets"}:
            raise BadOrder(
                "brackets", _("Expected an object of brackets, a list."), field="brackets"
            )
        rows = put_brackets(user=user_of(request), rows=body["brackets"])
        return answer({"brackets": [bracket_row(row) for row in rows]})
