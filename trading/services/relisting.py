"""Changing what stands in an order list: the exchange has no change of a list, and replacing one of
its orders would take the others out unseen. So the list goes and comes again as a whole, and each
half is told."""

from decimal import Decimal
from typing import Any

from lib.decimals import plain
from market.binance.errors import ExchangeError, Refused, UnknownOutcome
from market.binance.filters import round_down
from market.binance.ordering import NeverLeft, OrderRest
from trading.answers import order_of
from trading.changes import Change
from trading.errors import BadOrder, Conflict
from trading.models import OrderIntent
from trading.requests import Request, in_list
from trading.sentences import told as _
from trading.services.cancelling import Target, cancel_one
from trading.services.finding import find


def changed(intent: OrderIntent, wanted: Change, client_id: str) -> Request:
    """The list as it shall be, under new names. Raises BadOrder for what it has none of."""
    params = dict(intent.request["params"])
    kind = intent.request["path"].rsplit("/", 1)[-1]
    is_pair = kind == "oco"
    quantity, price, stop = wanted.quantity, wanted.price, wanted.stop_price
    if quantity is not None:
        _resize(intent, params, quantity, is_pair=is_pair)
    stop_at = next((name for name in params if name.lower().endswith("stopprice")), None)
    price_at = _target_of(params) if is_pair else "workingPrice"
    for name, value in ((price_at, price), (stop_at, stop)):
        if value is None:
            continue
        if name is None:
            raise BadOrder("price", _("Expected a price that this order list has."), field="price")
        params[name] = plain(value)
    return in_list(kind, params, client_id)


async def relist(
    rest: OrderRest, intent: OrderIntent, target: Target, request: Request
) -> dict[str, Any]:
    """Raises ExchangeError while nothing was done, Conflict for each half."""
    outcome, _order = await cancel_one(rest, target)
    if outcome == "already_gone":
        raise Conflict("already_gone", _("This order is not open any more."))
    name = request.ids.get("working") or request.ids["above"]
    try:
        timestamp_ms = await rest.make_room(request.path, is_urgent=True)
        answer = await rest.send("post", request.path, request.params, timestamp_ms)
    except UnknownOutcome as error:
        order = await find(rest, Target(target.market, target.symbol, client_id=name))
        if order is None:
            raise Conflict(
                "unknown",
                _(
                    "The old list is cancelled; nobody knows whether the new one is there: "
                    "%(error)s",
                    error=error,
                ),
                cancelled=True,
                client_id=name,
            ) from error
        return {"result": "replaced", "order": order}
    except (Refused, ExchangeError, NeverLeft) as error:
        raise Conflict(
            "half_done",
            _(
                "The old order list is cancelled, the new one was not placed: %(error)s",
                error=error,
            ),
            cancelled=True,
            placed=False,
            client_id=name,
        ) from error
    return {"result": "replaced", "order": order_of(answer, name)}


def _resize(
    intent: OrderIntent, params: dict[str, Any], quantity: Decimal, *, is_pair: bool
) -> None:
    if is_pair:
        params["quantity"] = plain(quantity)
        return
    params["workingQuantity"] = plain(quantity)
    if "pendingQuantity" in params:
        fee = Decimal(intent.plan["fee"]) if params["workingSide"] == "BUY" else Decimal(0)
        left = round_down(quantity * (1 - fee), Decimal(intent.plan["step"]))
        params["pendingQuantity"] = plain(left)


def _target_of(params: dict[str, Any]) -> str:
    return "abovePrice" if params.get("aboveType") == "LIMIT_MAKER" else "belowPrice"
