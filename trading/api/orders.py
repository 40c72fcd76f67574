"""Orders: previewed, placed, looked at, changed and taken out."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.scopes import Scope
from journal.api.exchange import OrdersView as JournalOrdersView
from journal.api.lists import OwnList
from journal.api.parameters import SIDE, STATUS, SYMBOL, listed
from journal.shapes.exchange import OrderRow
from lib.openapi import ACCOUNT, MARKET, gives, query, span
from trading.answers import placed, row_of, rows_of, status_of
from trading.api.base import KEY, TradingAPIView, answer, key_of, user_of
from trading.changes import Change
from trading.errors import BadOrder, NotFound
from trading.models import OrderIntent
from trading.sentences import told as _
from trading.sentences import was
from trading.services import cancelling, parts, placing, previewing, repeating
from trading.services.cancelling import Target
from trading.shapes import (
    CancelledAnswer,
    ChangeAsked,
    ChangeUnderWay,
    DoneAnswer,
    IntentRow,
    IntentWhole,
    NotPlaced,
    OrderAsked,
    OrderPreview,
    PlacedAnswer,
)

NEEDED_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Up to 64 of A-Za-z0-9_-: a key of your own for this order.",
    pattern="^[A-Za-z0-9_-]{1,64}$",
)
ONE_ACCOUNT = OpenApiParameter("account", OpenApiTypes.UUID, required=True)
ONE_MARKET = OpenApiParameter("market", str, enum=["spot", "usdm"], required=True)
NUMBER = {"type": "integer", "minimum": 0, "maximum": 10**19 - 1}
# An order that was placed elsewhere: `order_id` or `algo_id`.
TARGET = (
    ONE_ACCOUNT,
    ONE_MARKET,
    OpenApiParameter("symbol", str, required=True),
    OpenApiParameter("order_id", NUMBER),
    OpenApiParameter("algo_id", NUMBER),
)
CHANGED = {**gives(DoneAnswer, 404, 422), 202: ChangeUnderWay, 409: NotPlaced}


class PreviewView(TradingAPIView):
    """What an order would be; nothing is placed and nothing kept."""

    scopes: ClassVar = {"POST": Scope.READ}

    @extend_schema(request=OrderAsked, responses=gives(OrderPreview, 404, 409))
    def post(self, request: Request) -> Response:
        return answer(previewing.preview(user=user_of(request), body=request.data))


@listed(OrderRow, ACCOUNT, MARKET, SYMBOL, SIDE, STATUS, *span())
class OrdersView(TradingAPIView, JournalOrdersView):
    """GET: every order as the exchange tells it (the journal's list)."""

    scopes: ClassVar = {"POST": Scope.TRADE, "DELETE": Scope.TRADE}

    @extend_schema(
        request=OrderAsked,
        responses={
            **gives(PlacedAnswer, 404, 422, code=201),
            202: PlacedAnswer,
            409: NotPlaced,
        },
        parameters=[NEEDED_KEY],
    )
    def post(self, request: Request) -> Response:
        done = placing.place(
            user=user_of(request), key=key_of(request), body=request.data, by=_by(request)
        )
        return answer(done.body, done.status)

    @extend_schema(
        parameters=[ONE_ACCOUNT, MARKET, query("symbol")],
        responses=gives(CancelledAnswer, 404),
    )
    def delete(self, request: Request) -> Response:
        """Everything open of an account, of one market or one symbol."""
        query = request.query_params
        account = placing.account_of(user_of(request), _uuid(query.get("account", "")))
        market = _market(query.get("market", ""), is_needed=bool(query.get("symbol")))
        return answer(
            cancelling.cancel_all(account, market, query.get("symbol", "").upper()).as_json()
        )


@listed(IntentRow, ACCOUNT, MARKET, SYMBOL, SIDE, query("state"), *span())
class IntentsView(OwnList):
    """One's own, newest first."""

    exact = ("account", "market", "symbol", "side", "state")
    moment = "made_at"
    pk_type: ClassVar = UUID

    def rows(self, user: User) -> QuerySet[Any]:
        return OrderIntent.objects.visible_to(user)

    def shown(self, row: OrderIntent) -> IntentRow:
        return row_of(row)

    def shown_all(self, user: User, rows: Any) -> list[IntentRow]:
        return rows_of(rows)


class IntentView(TradingAPIView):
    """One of them, by itself and as a list of one."""

    @extend_schema(responses=gives(IntentWhole))
    def get(self, request: Request, intent_id: UUID) -> Response:
        row = rows_of([_own(request, intent_id)])[0]
        return answer({**row, "rows": [row], "next": None})


class OrderView(TradingAPIView):
    """One order that was placed here."""

    scopes: ClassVar = {"PATCH": Scope.TRADE, "DELETE": Scope.TRADE}

    @extend_schema(request=ChangeAsked, responses=CHANGED, parameters=[KEY])
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

    @extend_schema(responses=gives(DoneAnswer, 409))
    def delete(self, request: Request, intent_id: UUID) -> Response:
        return answer(cancelling.cancel_intent(_own(request, intent_id)))


class ProtectView(TradingAPIView):
    """Lets a stop and target protect the part of a spot entry that came in, and takes the rest of
    the entry out. It asks for no switch."""

    scopes: ClassVar = {"POST": Scope.TRADE}

    @extend_schema(
        request=None,
        responses={**gives(PlacedAnswer, 404, code=201), 202: PlacedAnswer, 409: NotPlaced},
    )
    def post(self, request: Request, intent_id: UUID) -> Response:
        leg = parts.protect(_own(request, intent_id))
        return answer(placed(leg), status_of(leg))


class ElsewhereView(TradingAPIView):
    """An order that was placed elsewhere, by its number at the exchange."""

    scopes: ClassVar = {"PATCH": Scope.TRADE, "DELETE": Scope.TRADE}

    @extend_schema(request=ChangeAsked, responses=CHANGED, parameters=[KEY, *TARGET])
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

    @extend_schema(responses=gives(DoneAnswer, 404, 409), parameters=[*TARGET])
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
        raise NotFound("intent", _("Expected the id of an order of yours."))
    return intent


def _elsewhere(request: Request) -> tuple[Any, Target]:
    """Raises BadOrder, NotFound."""
    query = request.query_params
    account = placing.account_of(user_of(request), _uuid(query.get("account", "")))
    market = _market(query.get("market", ""), is_needed=True)
    order_id, algo_id = _number(query, "order_id"), _number(query, "algo_id")
    if (order_id is None) == (algo_id is None):
        raise BadOrder("order_id", _("Expected order_id or algo_id."), field="order_id")
    if algo_id is not None and market != "usdm":
        raise BadOrder("algo_id", _("Expected algo_id only for market usdm."), field="algo_id")
    symbol = query.get("symbol", "").upper()
    if not symbol or not symbol.replace("_", "").isalnum() or len(symbol) > 40:
        raise BadOrder("symbol", _("Expected a symbol such as BTCUSDT."), field="symbol")
    return account, Target(market, symbol, order_id, algo_id, "", algo_id is not None)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadOrder(
            "account", _("Expected account, the id of an exchange account."), field="account"
        ) from error


def _market(text: str, *, is_needed: bool) -> str:
    if text in {"spot", "usdm"} or (not text and not is_needed):
        return text
    raise BadOrder(
        "market",
        _(
            "Expected %(name)s of %(known)s, was %(was)s.",
            name="market",
            known="spot, usdm",
            was=was(text, 20),
        ),
        field="market",
    )


def _number(query: Any, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadOrder(
            name,
            _("Expected %(name)s as a number, was %(was)s.", name=name, was=was(text, 20)),
            field=name,
        )
    return int(text)


def _by(request: Request) -> str:
    token: Any = request.auth
    return f"token {token.prefix}" if token is not None else "session"
