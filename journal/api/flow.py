"""How far order flow has come, over REST."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.api.lists import own_account, user_of
from journal.selectors.flow_coverage import coverage_of
from lib.openapi import ACCOUNT, gives


class RefusedAnswer(serializers.Serializer[object]):
    reason = serializers.CharField()
    count = serializers.IntegerField()


class CoverageRow(serializers.Serializer[object]):
    account = serializers.CharField()
    market = serializers.CharField()
    fills = serializers.IntegerField()
    total = serializers.IntegerField(help_text="With any flow, those with bands included.")
    bands = serializers.IntegerField()
    waiting = serializers.IntegerField()
    refused = RefusedAnswer(many=True)


class FlowCoverageAnswer(serializers.Serializer[object]):
    rows = CoverageRow(many=True)
    eta_s = serializers.IntegerField(help_text="Until nothing waits any more, by the pace so far.")


class FlowCoverageView(APIView):
    """Of each account's market: how many fills have order flow, and by size; how many wait."""

    @extend_schema(responses=gives(FlowCoverageAnswer, 404), parameters=[ACCOUNT])
    def get(self, request: Request) -> Response:
        user = user_of(request)
        account = own_account(user, request.query_params.get("account", ""))
        rows, eta = coverage_of(user, account)
        return Response(
            {
                "rows": [
                    {
                        "account": row.account,
                        "market": row.market,
                        "fills": row.fills,
                        "total": row.total,
                        "bands": row.bands,
                        "waiting": row.waiting,
                        "refused": [
                            {"reason": reason, "count": count}
                            for reason, count in sorted(row.refused.items())
                        ],
                    }
                    for row in rows
                ],
                "eta_s": eta,
            }
        )
