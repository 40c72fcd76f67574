"""Orders: previewed, placed, looked at, changed and taken out."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.scopes import Scope
from journal.api.exchange import OrdersView as JournalOrdersView
from journal.api.lists import OwnList
from trading.answers import row_of, rows_of
from trading.api.base import TradingAPIView, answer, key_of, user_of
from trading.errors import BadOrder, NotFound
from trading.models import OrderIntent
from trading.services import cancelling, placing, previewing, repeating
from trading.services.cancelling import Target
from trading.services.changing import Change

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Up to 64 of A-Za-z0-9_-."
)


class OrderBody(serializers.Serializer[object]):
    account = serializers.UUIDField()
    market = serializers.ChoiceField(choices=["spot", "usdm"])
    symbol = serializers.CharField()
    side = serializers.ChoiceField(choices=["BUY", "SELL"])
    type = serializers.CharField(help_text="LIMIT, MARKET, STOP_MARKET, …")
    price = serializers.CharField(required=False)
    stop_price = serializers.CharField(required=False, help_text="The order's own trigger.")
    quantity = serializers.CharField(required=False)
    quote_quantity = serializers.CharField(required=False)
    risk = serializers.DictField(
        required=False, help_text="`stop`, and `money` or `percent` where the size comes from it."
    )
    reduce_only = serializers.BooleanField(required=False)
    position_side = serializers.CharField(required=False)
    time_in_force = serializers.CharField(required=False)
    targets = serializers.ListField(child=serializers.CharField(), required=False)
    plan = serializers.DictField(required=False, help_text="`setup`, `note`.")
    override = serializers.CharField(
        required=False, help_text="Why an order is placed that a rule of one's own blocks."
    )


class OrderAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    client_id = serializers.CharField()
    state = serializers.CharField()
    order = serializers.DictField(required=False)
    legs = serializers.ListField(child=serializers.DictField(), required=False)
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)


class ChangeBody(serializers.Serializer[object]):
    quantity = serializers.CharField(required=False)
    price = serializers.CharField(required=False)
    stop_price = serializers.CharField(required=False)


class DoneAnswer(serializers.Serializer[object]):
    result = serializers.CharField()
    order = serializers.DictField()


class PreviewView(TradingAPIView):
    """What an order would be; nothing is placed and nothing kept."""

    scopes: ClassVar = {"POST": Scope.READ}

    @extend_schema(request=OrderBody, responses=serializers.DictField())
    def post(self, request: Request) -> Response:
        return answer(previewing.preview(user=user_of(request), body=request.data))


class OrdersView(TradingAPIView, JournalOrdersView):
    """GET: every order as the exchange tells it (the journal's list)."""

    scopes: ClassVar = {"POST": Scope.TRADE, "DELETE": Scope.TRADE}

    @extend_schema(
        request=OrderBody, responses={201: OrderAnswer, 202: OrderAnswer}, parameters=[KEY]
    )
    def post(self, request: Request) -> Response:
        done = placing.place(
            user=user_of(request), key=key_of(request), body=request.data, by=_by(request)
        )
        return answer(done.body, done.status)

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in ("account", "market", "symbol")],
        responses=serializers.DictField(),
    )
    def delete(self, request: Request) -> Response:
        """Everything open of an account, of one market or one symbol."""
        query = request.query_params
        account = placing.account_of(user_of(request), _uuid(query.get("account", "")))
        market = _market(query.get("market", ""), is_needed=bool(query.get("symbol")))
        return answer(
            cancelling.cancel_all(account, market, query.get("symbol", "").upper()).as_json()
        )


class IntentsView(OwnList):
    """One's own, newest first."""

    exact = ("account", "market", "symbol", "side", "state")
    moment = "made_at"
    pk_type: ClassVar = UUID

    def rows(self, user: User) -> QuerySet[Any]:
        return OrderIntent.objects.visible_to(user)

    def shown(self, row: OrderIntent) -> dict[str, Any]:
        return row_of(row)

    def shown_all(self, user: User, rows: Any) -> list[dict[str, Any]]:
        return rows_of(rows)


class IntentView(TradingAPIView):
    """One of them, by itself and as a list of one."""

    @extend_schema(responses=serializers.DictField())
    def get(self, request: Request, intent_id: UUID) -> Response:
        row = rows_of([_own(request, intent_id)])[0]
        return answer({**row, "rows": [row], "next": None})


class OrderView(TradingAPIView):
    """One order that was placed here."""

    scopes: ClassVar = {"PATCH": Scope.TRADE, "DELETE": Scope.TRADE}

    @extend_schema(request=ChangeBody, responses=DoneAnswer, parameters=[KEY])
    def patch(self, request: Request, intent_id: UUID) -> Response:
        intent = _own(request, intent_id)
        wanted = Change.read(request.data)
        done = repeating.change_intent(
            user=user_of(request),
            key=key_of(request),
            intent=intent,
            wanted=wanted,
            body=request.data,
        )
        return answer(done.body, done.status)

    @extend_schema(responses=DoneAnswer)
    def delete(self, request: Request, intent_id: UUID) -> Response:
        return answer(cancelling.cancel_intent(_own(request, intent_id)))


class ElsewhereView(TradingAPIView):
    """An order that was placed elsewhere, by its number at the exchange."""

    scopes: ClassVar = {"PATCH": Scope.TRADE, "DELETE": Scope.TRADE}

    @extend_schema(
        request=ChangeBody,
        responses=DoneAnswer,
        parameters=[
            KEY,
            *(
                OpenApiParameter(name, str)
                for name in ("account", "market", "symbol", "order_id", "algo_id")
            ),
        ],
    )
    def patch(self, request: Request) -> Response:
        account, target = _elsewhere(request)
        done = repeating.change_elsewhere(
            user=user_of(request),
            key=key_of(request),
            account=account,
            target=target,
            wanted=Change.read(request.data),
            body=request.data,
        )
        return answer(done.body, done.status)

    @extend_schema(
        responses=DoneAnswer,
        parameters=[
            OpenApiParameter(name, str)
            for name in ("account", "market", "symbol", "order_id", "algo_id")
        ],
    )
    def delete(self, request: Request) -> Response:
        account, target = _elsewhere(request)
        outcome, order = cancelling.cancel(account, target)
        return answer({**target.as_json(), "result": outcome, "order": order})


def _own(request: Request, intent_id: UUID) -> OrderIntent:
    intent = (
        OrderIntent.objects.visible_to(user_of(request))
        .select_related("account__user")
        .filter(pk=intent_id)
        .first()
    )
    if intent is None:
        raise NotFound("intent", "Expected the id of an order of yours.")
    return intent


def _elsewhere(request: Request) -> tuple[Any, Target]:
    """Raises BadOrder, NotFound."""
    query = request.query_params
    account = placing.account_of(user_of(request), _uuid(query.get("account", "")))
    market = _market(query.get("market", ""), is_needed=True)
    order_id, algo_id = _number(query, "order_id"), _number(query, "algo_id")
    if (order_id is None) == (algo_id is None):
        raise BadOrder("order_id", "Expected order_id or algo_id.", field="order_id")
    if algo_id is not None and market != "usdm":
        raise BadOrder("algo_id", "Expected algo_id only for market usdm.", field="algo_id")
    symbol = query.get("symbol", "").upper()
    if not symbol or not symbol.replace("_", "").isalnum() or len(symbol) > 40:
        raise BadOrder("symbol", "Expected a symbol such as BTCUSDT.", field="symbol")
    return account, Target(market, symbol, order_id, algo_id, "", algo_id is not None)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadOrder(
            "account", "Expected account, the id of an exchange account.", field="account"
        ) from error


def _market(text: str, *, is_needed: bool) -> str:
    if text in {"spot", "usdm"} or (not text and not is_needed):
        return text
    raise BadOrder("market", f"Expected market of spot, usdm, was {text[:20]!r}.", field="market")


def _number(query: Any, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadOrder(name, f"Expected {name} as a number, was {text[:20]!r}.", field=name)
    return int(text)


def _by(request: Request) -> str:
    token: Any = request.auth
    return f"token {token.prefix}" if token is not None else "session"
