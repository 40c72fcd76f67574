"""What deposits had cost, over REST: for the tax report alone."""

from decimal import Decimal
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import Scope as TokenScope
from journal.answers import epoch, plain
from journal.api.lists import moment, user_of
from journal.models import StatedCost, Transfer
from journal.services import stating
from journal.tasks import settle_soon
from lib.openapi import gives


class StatedCostBody(serializers.Serializer[object]):
    # dollars of the whole deposit
    cost = serializers.DecimalField(max_digits=26, decimal_places=8, min_value=Decimal(0))
    # ISO 8601 or epoch ms
    bought = serializers.CharField(max_length=40)


class StatedCostAnswer(serializers.Serializer[object]):
    transfer = serializers.IntegerField()
    cost = serializers.CharField(allow_null=True)
    bought = serializers.IntegerField(allow_null=True)


class StatedCostView(APIView):
    """What a deposit of a coin had cost before it came, and when it was bought; null where nothing
    is stated. It changes the tax report alone."""

    scopes: ClassVar = {"PUT": TokenScope.JOURNAL, "DELETE": TokenScope.JOURNAL}

    @extend_schema(responses=gives(StatedCostAnswer))
    def get(self, request: Request, transfer_id: int) -> Response:
        deposit = _own(request, transfer_id)
        return Response(_shown(deposit, stating.stated_of(deposit)))

    @extend_schema(request=StatedCostBody, responses=gives(StatedCostAnswer))
    def put(self, request: Request, transfer_id: int) -> Response:
        deposit = _own(request, transfer_id)
        body = StatedCostBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            row = stating.state(
                deposit,
                cost=body.validated_data["cost"],
                bought_at=moment(body.validated_data["bought"], "bought"),
                user=user_of(request),
            )
        except stating.BadStatement as error:
            raise ValidationError({"detail": [str(error)]}) from error
        settle_soon()
        return Response(_shown(deposit, row))

    @extend_schema(responses=gives(StatedCostAnswer))
    def delete(self, request: Request, transfer_id: int) -> Response:
        deposit = _own(request, transfer_id)
        stating.take_back(deposit, user=user_of(request))
        settle_soon()
        return Response(_shown(deposit, None))


def _own(request: Request, transfer_id: int) -> Transfer:
    mine = Transfer.objects.visible_to(user_of(request))
    deposit: Transfer = get_object_or_404(mine, pk=transfer_id)
    return deposit


def _shown(deposit: Transfer, row: StatedCost | None) -> dict[str, Any]:
    return {
        "transfer": deposit.pk,
        "cost": plain(row.cost) if row else None,
        "bought": epoch(row.bought_at) if row else None,
    }
