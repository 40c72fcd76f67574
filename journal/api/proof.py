"""The proof, payments, and what an owner set aside, over REST."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.scopes import Scope as TokenScope
from journal.answers import epoch, plain, trade_answer
from journal.api.lists import OwnList, own_account, user_of
from journal.api.parameters import ASSET, KIND, SYMBOL, listed
from journal.models import Payment, Trade
from journal.selectors.trades import one
from journal.services import aside, proving
from journal.shapes.exchange import PaymentRow, ProofAnswer
from journal.shapes.trades import TradeRow
from journal.tasks import settle_soon
from lib.openapi import ACCOUNT, MARKET, gives, query, span


class ProofView(APIView):
    """Realised + unrealised + income + currency effect = change of wealth + what nobody explains
    (docs/how-we-calculate.md); of one account or of all, in the report currency or another."""

    @extend_schema(
        responses=gives(ProofAnswer, 404),
        parameters=[ACCOUNT, query("currency", choices=tuple(User.Currency.values))],
    )
    def get(self, request: Request) -> Response:
        user, query = user_of(request), request.query_params
        currency = query.get("currency", user.report_currency).strip().upper()
        known = [str(value) for value in User.Currency.values]
        if currency not in known:
            raise ValidationError(
                {"currency": [f"Expected one of {', '.join(known)}, was {currency[:10]!r}."]}
            )
        account = own_account(user, query.get("account", ""))
        proof = proving.prove_now(user, account, currency)
        if proof is None:
            raise NotFound("Expected an account to prove.")
        return Response(proving.as_answer(proof))


@listed(PaymentRow, ACCOUNT, MARKET, SYMBOL, KIND, ASSET, *span())
class PaymentsView(OwnList):
    """Money that came or went without a match: funding, income, deposits, withdrawals, …"""

    exact = ("account", "market", "symbol", "kind", "asset")
    moment = "time"

    def rows(self, user: User) -> QuerySet[Any]:
        return Payment.objects.visible_to(user)

    def shown(self, row: Payment) -> PaymentRow:
        return {
            "id": row.pk,
            "account": str(row.account_id),
            "market": row.market,
            "kind": row.kind,
            "time": epoch(row.time),
            "asset": row.asset,
            "symbol": row.symbol,
            "quantity": plain(row.quantity),
            "worth": plain(row.worth),
            "money": plain(row.money),
            "trade": row.trade_id,
            "assumed": row.is_assumed,
            "external_id": row.external_id,
        }


class AsideView(APIView):
    """Sets an open trade of a coin aside: what it still holds is kept beside from now on. DELETE
    takes that back, also where a purchase long after had done it by itself."""

    scopes: ClassVar = {"POST": TokenScope.JOURNAL, "DELETE": TokenScope.JOURNAL}

    @extend_schema(request=None, responses=gives(TradeRow))
    def post(self, request: Request, trade_id: int) -> Response:
        return _changed(request, trade_id, aside.set_aside)

    @extend_schema(request=None, responses=gives(TradeRow))
    def delete(self, request: Request, trade_id: int) -> Response:
        return _changed(request, trade_id, aside.undo)


def _changed(request: Request, trade_id: int, change: Any) -> Response:
    user = user_of(request)
    trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
    try:
        changed = change(trade)
    except aside.BadWish as error:
        raise ValidationError({"detail": [str(error)]}) from error
    settle_soon()
    if changed is None:
        return Response({"detail": "What it held is kept beside now."})
    return Response(trade_answer(one(user, changed)))
