"""The switch, the brake, and the one-click exit."""

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import step_up
from accounts.models import ExchangeAccount
from accounts.scopes import SESSION_ONLY, Scope
from lib.dates import from_ms, parse_moment, to_ms
from lib.openapi import gives
from trading.api.base import KEY, TradingAPIView, answer, key_of, user_of
from trading.errors import BadOrder
from trading.models import TradingSwitch
from trading.sentences import told as _
from trading.services import placing, repeating, stopping, switching
from trading.shapes import (
    ChangeUnderWay,
    CloseAnswer,
    CloseAsked,
    StopAnswer,
    StopAsked,
    SwitchAnswer,
    SwitchAsked,
)

FIELDS = {"on", "until", "caps"}
STOPPED = {**gives(StopAnswer, 404, 409, 422), 202: StopAnswer}
CLOSED = {**gives(CloseAnswer, 404, 409, 422), 202: ChangeUnderWay}

# tuples, since whatever is sent is looked for in them
SIDES = ("BOTH", "LONG", "SHORT")
EVERYTHING = ("all", "own")


class SwitchView(TradingAPIView):
    """Whether an account may trade; on, a later end and wider caps ask for a fresh factor."""

    scopes: ClassVar = {"PUT": SESSION_ONLY}

    @extend_schema(responses=gives(SwitchAnswer))
    def get(self, request: Request, account_id: UUID) -> Response:
        account = placing.account_of(user_of(request), account_id)
        return answer(shown(account, TradingSwitch.objects.filter(account=account).first()))

    @extend_schema(request=SwitchAsked, responses=gives(SwitchAnswer))
    def put(self, request: Request, account_id: UUID) -> Response:
        account = placing.account_of(user_of(request), account_id)
        body = _object(request.data, FIELDS)
        switch = TradingSwitch.objects.filter(account=account).first()
        is_on = switching.is_on(account)
        wants_on = body.get("on", is_on)
        if not isinstance(wants_on, bool):
            raise BadOrder("on", _("Expected on as true or false."), field="on")
        before = switch.caps if switch is not None else {}
        caps = before if body.get("caps") is None else _caps(body["caps"])
        if not wants_on:
            return answer(shown(account, self._off(request, account, switch, is_on, before, caps)))
        until = _until(body.get("until"), switch if is_on else None)
        is_more = not is_on or switching.is_wider(before, caps)
        if is_more or (switch is not None and switch.until is not None and until > switch.until):
            need_confirmation(request)
        switch = switching.switch_on(
            account=account, actor=user_of(request), until=until, caps=caps
        )
        return answer(shown(account, switch))

    def _off(
        self,
        request: Request,
        account: ExchangeAccount,
        switch: TradingSwitch | None,
        is_on: bool,
        before: dict[str, Any],
        caps: dict[str, Any],
    ) -> TradingSwitch | None:
        user = user_of(request)
        if is_on:
            switch = switching.switch_off(account=account, actor=user, why="owner")
        if caps != before and switch is not None:
            if switching.is_wider(before, caps):
                need_confirmation(request)
            switch = switching.change_caps(switch=switch, actor=user, caps=caps)
        return switch


class StopView(TradingAPIView):
    """Trading off, every order out; with `flatten` every futures position too."""

    scopes: ClassVar = {"POST": Scope.TRADE}

    @extend_schema(request=StopAsked, responses=STOPPED, parameters=[KEY])
    def post(self, request: Request) -> Response:
        body = _object(request.data, {"account", "flatten"})
        flatten = body.get("flatten", False)
        if not isinstance(flatten, bool):
            raise BadOrder("flatten", _("Expected flatten as true or false."), field="flatten")
        user = user_of(request)
        accounts = self._accounts(request, body)
        done = repeating.once(
            user=user,
            key=key_of(request) if flatten else None,
            door="POST /api/trading/stop",
            body=body,
            work=lambda: {
                "stopped": [
                    stopping.stop(account=account, actor=user, why="owner", flatten=flatten)
                    for account in accounts
                ]
            },
        )
        return answer(_with_sums(done.body), done.status)

    def _accounts(self, request: Request, body: dict[str, Any]) -> list[ExchangeAccount]:
        """One; `own`: all of one's own; `all`: the same, and of staff that is signed in every
        account of the server."""
        user = user_of(request)
        wanted = body.get("account")
        if wanted in EVERYTHING:
            is_everybody = wanted == "all" and user.is_staff and request.auth is None
            rows = ExchangeAccount.objects.here().select_related("user").exclude(api_key=b"")
            return list(rows if is_everybody else rows.filter(user=user))
        try:
            return [placing.account_of(user, UUID(str(wanted)))]
        except ValueError as error:
            raise BadOrder(
                "account",
                _("Expected account, an exchange account's id, own or all."),
                field="account",
            ) from error


class CloseView(TradingAPIView):
    """Out of a futures position, or of a part of it, by a reduce-only market order; it asks for no
    switch."""

    scopes: ClassVar = {"POST": Scope.TRADE}

    @extend_schema(request=CloseAsked, responses=CLOSED, parameters=[KEY])
    def post(self, request: Request) -> Response:
        body = _object(request.data, {"account", "symbol", "amount", "position_side"})
        user = user_of(request)
        try:
            account = placing.account_of(user, UUID(str(body.get("account"))))
            amount = Decimal(str(body.get("amount")))
        except (ValueError, ArithmeticError) as error:
            raise BadOrder("body", _("Expected account, symbol and a signed amount.")) from error
        symbol, side = str(body.get("symbol", "")).upper(), body.get("position_side", "BOTH")
        if not symbol.replace("_", "").isalnum() or side not in SIDES:
            raise BadOrder(
                "symbol", _("Expected a symbol, and position_side of BOTH, LONG, SHORT.")
            )
        if not amount.is_finite() or not 0 < abs(amount) < 10**12:
            raise BadOrder("amount", _("Expected a signed amount, was nothing."), field="amount")
        switching.need_trading_key(account, "usdm")
        done = repeating.once(
            user=user,
            key=key_of(request),
            door="POST /api/trading/close",
            body=body,
            work=lambda: {
                "orders": stopping.close_position(
                    account, user, symbol, amount, str(side), key_of(request) or ""
                )
            },
        )
        return answer(done.body, done.status)


def need_confirmation(request: Request) -> None:
    """A fresh second factor where money is at stake; with a simulator or the testnet the click is
    enough. Raises StepUpNeeded."""
    if settings.BINANCE == "live":
        step_up.need_fresh_factor(request)


def shown(account: ExchangeAccount, switch: TradingSwitch | None) -> SwitchAnswer:
    is_on = switching.is_on(account)
    return {
        "account": str(account.pk),
        "on": is_on,
        "until": to_ms(switch.until) if switch is not None and switch.until and is_on else None,
        "caps": switch.caps if switch is not None else {},
        "ended_by": switch.ended_by if switch is not None and not is_on else "",
    }


def _with_sums(body: dict[str, Any]) -> dict[str, Any]:
    """What was cancelled over all accounts, beside each one's own."""
    rows = body.get("stopped", [])
    return {
        "cancelled": [row for item in rows for row in item.get("cancelled", [])],
        "failed": [row for item in rows for row in item.get("failed", [])],
        "flattened": [row for item in rows for row in item.get("flattened", [])],
        **body,
    }


def _until(value: Any, switch: TradingSwitch | None) -> Any:
    """Raises BadOrder."""
    if value is None and switch is not None and switch.until is not None:
        return switch.until
    if value is None:
        raise BadOrder("until", _("Expected until, when trading ends by itself."), field="until")
    try:
        return from_ms(parse_moment(str(value)))
    except (ValueError, OverflowError) as error:
        raise BadOrder(
            "until",
            _("Expected until as ISO 8601 or epoch ms: %(error)s.", error=error),
            field="until",
        ) from error


def _caps(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadOrder("caps", _("Expected caps as an object."), field="caps")
    return switching.checked_caps(value)


def _object(body: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(body, dict) or set(body) - known:
        raise BadOrder(
            "body", _("Expected a JSON object of %(known)s.", known=", ".join(sorted(known)))
        )
    return dict(body)
