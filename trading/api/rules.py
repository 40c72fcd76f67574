"""One's rules, the day so far, and what breaks of the rules came to."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.scopes import Scope
from lib.dates import to_ms
from lib.decimals import plain
from lib.openapi import gives
from trading.api.base import TradingAPIView, answer, user_of
from trading.errors import BadOrder
from trading.limits import Entry, judge
from trading.models import Rule
from trading.selectors.breaks import breaks_of, by_rule
from trading.selectors.today import day_so_far
from trading.sentences import told as _
from trading.services.ruling import put_rules
from trading.shapes import RulesAnswer, RulesAsked


class RulesView(TradingAPIView):
    scopes: ClassVar = {"PUT": Scope.ALERTS}

    @extend_schema(responses=gives(RulesAnswer))
    def get(self, request: Request) -> Response:
        return answer(rules_answer(user_of(request)))

    @extend_schema(request=RulesAsked, responses=gives(RulesAnswer))
    def put(self, request: Request) -> Response:
        body = request.data
        if not isinstance(body, dict) or "rules" not in body:
            raise BadOrder("rules", _("Expected an object with rules, a list."), field="rules")
        user = user_of(request)
        put_rules(user=user, rows=body["rules"])
        return answer(rules_answer(user))


def rules_answer(user: User) -> RulesAnswer:
    """`today.stands` is what would speak against a plain entry just now."""
    rules = list(Rule.objects.filter(user=user))
    day = day_so_far(user)
    breaks = breaks_of(user)
    plain_entry = Entry(None, True, "")
    return {
        "rules": [{"name": row.name, "value": row.value, "mode": row.mode} for row in rules],
        "today": {
            "net": plain(day.net),
            "trades": day.trades,
            "losses_in_a_row": day.losses,
            "closed_at": None if day.closed_at is None else to_ms(day.closed_at),
            "stands": [
                {"rule": row.name, "mode": row.mode, "detail": str(detail)}
                for row in rules
                if row.name != Rule.Name.SETUPS
                and (detail := judge(row.name, row.value, day, plain_entry)) is not None
            ],
        },
        "breaks": breaks,
        "by_rule": by_rule(breaks),
    }
