"""The insight over REST: the numbers of the page, with the ids of the trades behind one group."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.answers import plain
from journal.api.lists import parsed, user_of
from journal.api.parameters import FILTERS
from journal.selectors import fates, report_rows
from journal.selectors import insight as insights
from journal.selectors.insight import Told
from journal.selectors.insight_words import QUESTIONS
from journal.selectors.preferences import preferences_of
from lib.openapi import gives, query


class InsightAnswer(serializers.Serializer[object]):
    """With `by`: by, group and trades; else the others. null: too few trades to say."""

    unit = serializers.CharField(required=False)
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
    by = serializers.CharField(required=False)
    group = serializers.CharField(required=False, allow_blank=True)
    # ids
    trades = serializers.ListField(child=serializers.IntegerField(), required=False)


class InsightView(APIView):
    """Findings that hold, what else was looked at, costs, and what may come; amounts in `unit`.
    `by` and `group`: instead the ids of the trades behind that group."""

    @extend_schema(
        responses=gives(InsightAnswer),
        parameters=[query("by", choices=tuple(QUESTIONS)), query("group"), *FILTERS],
    )
    def get(self, request: Request) -> Response:
        user, asked = user_of(request), request.query_params
        chosen = preferences_of(user)
        by = asked.get("by", "")
        if by and by not in QUESTIONS:
            known = ", ".join(QUESTIONS)
            raise ValidationError({"by": [f"Expected one of {known}, was {by[:40]!r}."]})
        loaded = report_rows.load(user, parsed(asked.dict()).apply(user, chosen), chosen)
        rows = report_rows.in_unit(loaded, chosen)
        if by:
            group = asked.get("group", "")
            ids = insights.behind(rows, chosen, by, group)
            return Response({"by": by, "group": group, "trades": ids})
        found = insights.insight(rows, chosen)
        fate, changed, mean = fates.fate_of(rows), fates.change_of(rows), fates.mean_of(rows)
        return Response(
            {
                "unit": chosen.unit,
                "count": len(rows),
                "questions": found.questions,
                "mean": mean
                and {"value": plain(mean.value), "low": plain(mean.low), "high": plain(mean.high)},
                "findings": [_answer(one) for one in found.claims],
                "compared": [_answer(one) for one in found.compared],
                "costs": [_answer(one) for one in found.costs],
                "too_few": [
                    {"question": question, "group": group, "count": count}
                    for question, group, count in found.too_few
                ],
                "fate": fate
                and {
                    "ahead": fate.ahead,
                    "block": fate.block,
                    "ends": fate.ends,
                    "drawdowns": fate.drawdowns,
                    "ruin_at": fate.ruin_at,
                    "ruin": fate.ruin,
                },
                "change": changed
                and {
                    "trade": changed.since.id,
                    "before": changed.change.before,
                    "after": changed.change.after,
                    "p": changed.change.p,
                    "alarm": changed.change.is_alarm,
                },
            }
        )


def _answer(one: Told) -> dict[str, Any]:
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
