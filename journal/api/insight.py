"""The insight over REST: the numbers of its pages, with the ids of the trades behind each."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.answers import plain
from journal.api.lists import parsed, user_of
from journal.api.parameters import FILTERS
from journal.insight import keeping, overview
from journal.insight.parts import PAGES
from journal.models import InsightTrades, Preferences
from journal.selectors.fates import exact
from journal.selectors.insight import Told
from journal.selectors.insight_words import QUESTIONS
from journal.selectors.preferences import preferences_of
from journal.tasks import ask_insight
from lib.dates import to_ms
from lib.openapi import gives, query

FINDINGS = "findings"


class InsightState(serializers.Serializer[object]):
    """`state`: ready, recent (of the trades of two minutes ago), computing (what stands beside it
    is of older trades, or missing) or given_up."""

    state = serializers.CharField()
    # of how much is done while it is computed
    done = serializers.IntegerField()
    of = serializers.IntegerField()
    # epoch ms
    computed_at = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()


class InsightAnswer(InsightState):
    """With `by`: by, group and trades; else the others. null: too few trades to say."""

    count = serializers.IntegerField(required=False)
    # how many were asked together
    questions = serializers.IntegerField(required=False)
    mean = serializers.DictField(required=False, allow_null=True)
    findings = serializers.ListField(child=serializers.DictField(), required=False)
    compared = serializers.ListField(child=serializers.DictField(), required=False)
    costs = serializers.ListField(child=serializers.DictField(), required=False)
    too_few = serializers.ListField(child=serializers.DictField(), required=False)
    fate = serializers.DictField(required=False, allow_null=True)
    change = serializers.DictField(required=False, allow_null=True)
    rolling = serializers.DictField(required=False, allow_null=True)
    by = serializers.CharField(required=False)
    group = serializers.CharField(required=False, allow_blank=True)
    # ids
    trades = serializers.ListField(child=serializers.IntegerField(), required=False)


class InsightPartAnswer(InsightState):
    """`answer` is the part's own (docs/insight.md); null before it is computed. With `by`: the ids
    of the trades behind that number."""

    answer = serializers.DictField(required=False, allow_null=True)
    by = serializers.CharField(required=False)
    group = serializers.CharField(required=False, allow_blank=True)
    trades = serializers.ListField(child=serializers.IntegerField(), required=False)


BEHIND = [query("by"), query("group"), *FILTERS]


class InsightView(APIView):
    """Findings that hold, what else was looked at, costs, and what may come; amounts in `unit`.
    202 while nothing is computed yet. `by` and `group`: instead the ids of the trades behind that
    group."""

    @extend_schema(
        responses=gives(InsightAnswer) | gives(InsightState, code=202), parameters=BEHIND
    )
    def get(self, request: Request) -> Response:
        kept, chosen = _ask(request, FINDINGS)
        by = request.query_params.get("by", "")
        if by:
            return _behind(request, FINDINGS, kept, by)
        answer = kept.answer
        if answer is None:
            return Response(_state(kept), status=202)
        shown = overview.read(answer, chosen)
        return Response(
            {
                **_state(kept),
                "count": answer["count"],
                "questions": shown.questions,
                "mean": answer["mean"]
                and {name: plain(exact(answer["mean"][name])) for name in ("value", "low", "high")},
                "findings": [_told(one) for one in shown.claims],
                "compared": [_told(one) for one in shown.compared],
                "costs": [_told(one) for one in shown.costs],
                "too_few": [
                    {"question": question, "group": group, "count": count}
                    for question, group, count in shown.too_few
                ],
                "fate": answer["fate"]
                and {name: value for name, value in answer["fate"].items() if name != "fan"},
                "change": answer["change"] and _change(answer["change"]),
                "rolling": answer["rolling"],
            }
        )


class InsightPartView(APIView):
    """One part: counterparty, twin, stops, execution, rules or together; amounts in `unit`. 202
    while nothing is computed yet. `by` and `group`: instead the ids of the trades behind that
    number."""

    @extend_schema(
        responses=gives(InsightPartAnswer, 404) | gives(InsightState, code=202), parameters=BEHIND
    )
    def get(self, request: Request, name: str) -> Response:
        if name not in PAGES or name == FINDINGS:
            known = ", ".join(part for part in PAGES if part != FINDINGS)
            raise NotFound(f"Expected one of {known}, was {name[:40]!r}.")
        kept, _chosen = _ask(request, name)
        by = request.query_params.get("by", "")
        if by:
            return _behind(request, name, kept, by)
        if kept.answer is None:
            return Response(_state(kept), status=202)
        return Response({**_state(kept), "answer": kept.answer})


def _ask(request: Request, name: str) -> tuple[keeping.Kept, Preferences]:
    user = user_of(request)
    trade_filter = parsed(request.query_params.dict())
    chosen = preferences_of(user)
    return ask_insight(user, name, trade_filter, chosen), chosen


def _behind(request: Request, name: str, kept: keeping.Kept, by: str) -> Response:
    group = request.query_params.get("group", "")
    trades = keeping.trades_of(kept.part, by, group)
    if trades is None and kept.answer is None:
        return Response(_state(kept), status=202)
    if trades is None and not (name == FINDINGS and by in QUESTIONS):
        mine = InsightTrades.objects.filter(part=kept.part)
        known = {*mine.values_list("by", flat=True), *(QUESTIONS if name == FINDINGS else ())}
        if by not in known:
            told = ", ".join(sorted(known))
            raise ValidationError({"by": [f"Expected one of {told}, was {by[:40]!r}."]})
    return Response({**_state(kept), "by": by, "group": group, "trades": trades or []})


def _state(kept: keeping.Kept) -> dict[str, Any]:
    state = "computing"
    if not kept.is_computing:
        state = "ready" if kept.is_fresh else "recent" if kept.is_recent else "given_up"
    return {
        "state": state,
        "done": kept.part.done,
        "of": kept.part.expected,
        "computed_at": None if kept.computed_at is None else to_ms(kept.computed_at),
        "unit": kept.part.unit,
    }


def _change(change: dict[str, Any]) -> dict[str, Any]:
    return {
        "trade": change["trade"],
        "before": change["before"],
        "after": change["after"],
        "p": change["p"],
        "alarm": change["is_alarm"],
    }


def _told(one: Told) -> dict[str, Any]:
    return {
        "by": one.dimension,
        "group": one.group,
        "text": one.text,
        "count": one.count,
        "rest_count": one.rest_count,
        "mean": plain(one.mean),
        "rest_mean": plain(one.rest_mean),
        "effect": plain(one.effect),
        "low": plain(one.low),
        "high": plain(one.high),
        "p": one.p,
        "good": one.is_good,
    }
