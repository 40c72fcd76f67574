"""From what is wanted to what is sent: one request of the exchange's, and those that follow it.

Sources: binance-spot-api-docs rest-api.md (order lists, OPO), USD-M new order, new algo order
(2026). Every request carries our own client order ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lib.decimals import plain
from market.binance.filters import round_down
from trading.sizing import parts
from trading.wanted import Wanted

Params = dict[str, Any]
LIST_HEAD = "/api/v3/orderList"
ALGO_PATH = "/fapi/v1/algoOrder"
ORDER_PATHS = {"spot": "/api/v3/order", "usdm": "/fapi/v1/order"}


@dataclass(frozen=True)
class Request:
    """`orders` is how many of the account's order budget it takes; `ids` the client order ids of
    what it makes beside its own."""

    path: str
    params: Params
    orders: int = 1
    ids: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "method": "post",
            "path": self.path,
            "params": self.params,
            "orders": self.orders,
            "ids": self.ids,
        }


@dataclass(frozen=True)
class Lists:
    """What of order lists a spot symbol takes."""

    oco: bool = True
    oto: bool = True
    opo: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Lists":
        return cls(
            bool(options.get("ocoAllowed", True)),
            bool(options.get("otoAllowed", True)),
            bool(options.get("opoAllowed", False)),
        )


def request(
    wanted: Wanted,
    quantity: Decimal | None,
    client_id: str,
    lists: Lists,
    step: Decimal,
    fee: Decimal,
) -> Request:
    """`quantity` None: by quote or the whole position; `fee` the share that a buy may lose in the
    base coin."""
    if wanted.market == "usdm":
        return _usdm(wanted, quantity, client_id)
    if wanted.type == "OCO":
        assert quantity is not None and wanted.price is not None and wanted.stop_price is not None
        return oco(wanted.symbol, wanted.side, quantity, wanted.price, wanted.stop_price, client_id)
    if wanted.stop is not None and wanted.type in {"LIMIT", "LIMIT_MAKER"}:
        assert quantity is not None
        return _entry_list(wanted, quantity, client_id, lists, step, fee)
    return _spot(wanted, quantity, client_id)


def oco(
    symbol: str, side: str, quantity: Decimal, target: Decimal, stop: Decimal, client_id: str
) -> Request:
    """A sale has its target above and its stop below, a purchase the other way round."""
    above, below = f"{client_id}a", f"{client_id}b"
    params: Params = {
        "symbol": symbol,
        "side": side,
        "quantity": plain(quantity),
        "listClientOrderId": client_id,
        "newOrderRespType": "RESULT",
    }
    params |= _pair("", side, target, stop, above, below)
    return Request(f"{LIST_HEAD}/oco", params, 2, {"above": above, "below": below})


def in_list(kind: str, params: Params, client_id: str) -> Request:
    """A list like another one, under names of its own."""
    above, below = f"{client_id}a", f"{client_id}b"
    if kind == "oco":
        params |= {
            "listClientOrderId": client_id,
            "aboveClientOrderId": above,
            "belowClientOrderId": below,
        }
        return Request(f"{LIST_HEAD}/oco", params, 2, {"above": above, "below": below})
    list_id = f"{client_id}l"
    params |= {"listClientOrderId": list_id, "workingClientOrderId": client_id}
    ids = {"list": list_id, "working": client_id, "below": below}
    if kind in {"oto", "opo"}:
        params["pendingClientOrderId"] = below
        return Request(f"{LIST_HEAD}/{kind}", params, 2, ids)
    params |= {"pendingAboveClientOrderId": above, "pendingBelowClientOrderId": below}
    return Request(f"{LIST_HEAD}/{kind}", params, 3, {**ids, "above": above})


def stop_loss(symbol: str, side: str, quantity: Decimal, stop: Decimal, client_id: str) -> Request:
    """A protective stop alone on spot."""
    params: Params = {
        "symbol": symbol,
        "side": side,
        "type": "STOP_LOSS",
        "quantity": plain(quantity),
        "stopPrice": plain(stop),
        "newClientOrderId": client_id,
        "newOrderRespType": "RESULT",
    }
    return Request(ORDER_PATHS["spot"], params)


def usdm_stop(wanted: Wanted, quantity: Decimal, client_id: str) -> Request:
    """The stop that follows an accepted entry."""
    assert wanted.stop is not None
    return _protective(wanted, "STOP_MARKET", quantity, wanted.stop, client_id)


def usdm_targets(
    wanted: Wanted, quantity: Decimal, step: Decimal, client_ids: list[str]
) -> list[Request]:
    """One take-profit a target, over equal parts."""
    amounts = parts(quantity, len(wanted.targets), step)
    return [
        _protective(wanted, "TAKE_PROFIT_MARKET", amount, price, client_id)
        for price, amount, client_id in zip(wanted.targets, amounts, client_ids, strict=True)
        if amount > 0
    ]


def usdm_exit(symbol: str, amount: Decimal, position_side: str, client_id: str) -> Request:
    """Out of a position of `amount` (signed) at the market, and never into another one: in hedge
    mode nothing but the side of the order says that it only reduces."""
    is_long = amount > 0 if position_side == "BOTH" else position_side == "LONG"
    params: Params = {
        "symbol": symbol,
        "side": "SELL" if is_long else "BUY",
        "type": "MARKET",
        "quantity": plain(abs(amount)),
        "newClientOrderId": client_id,
        "newOrderRespType": "RESULT",
        "positionSide": position_side,
    }
    if position_side == "BOTH":
        params["reduceOnly"] = "true"
    return Request(ORDER_PATHS["usdm"], params)


def _protective(
    wanted: Wanted, kind: str, quantity: Decimal, trigger: Decimal, client_id: str
) -> Request:
    params: Params = {
        "algoType": "CONDITIONAL",
        "symbol": wanted.symbol,
        "side": "SELL" if wanted.is_buy else "BUY",
        "type": kind,
        "quantity": plain(quantity),
        "triggerPrice": plain(trigger),
        "workingType": wanted.working_type,
        "clientAlgoId": client_id,
        "positionSide": wanted.position_side,
    }
    if wanted.position_side == "BOTH":
        params["reduceOnly"] = "true"
    return Request(ALGO_PATH, params)


def _spot(wanted: Wanted, quantity: Decimal | None, client_id: str) -> Request:
    params: Params = {
        "symbol": wanted.symbol,
        "side": wanted.side,
        "type": wanted.type,
        "newClientOrderId": client_id,
        "newOrderRespType": "RESULT",
    }
    if quantity is not None:
        params["quantity"] = plain(quantity)
    elif wanted.quote_quantity is not None:
        params["quoteOrderQty"] = plain(wanted.quote_quantity)
    if wanted.price is not None:
        params["price"] = plain(wanted.price)
        if wanted.type != "LIMIT_MAKER":
            params["timeInForce"] = wanted.time_in_force
    if wanted.stop_price is not None:
        params["stopPrice"] = plain(wanted.stop_price)
    return Request(ORDER_PATHS["spot"], params)


def _entry_list(
    wanted: Wanted, quantity: Decimal, client_id: str, lists: Lists, step: Decimal, fee: Decimal
) -> Request:
    """An entry whose exits come into being when it is filled: OPO(CO) where the symbol takes it,
    else OTO(CO) with the exit lowered by what the fee may take in the base coin."""
    assert wanted.price is not None and wanted.stop is not None
    list_id = f"{client_id}l"
    params: Params = {
        "symbol": wanted.symbol,
        "listClientOrderId": list_id,
        "newOrderRespType": "RESULT",
        "workingType": wanted.type,
        "workingSide": wanted.side,
        "workingPrice": plain(wanted.price),
        "workingQuantity": plain(quantity),
        "workingClientOrderId": client_id,
        "pendingSide": "SELL" if wanted.is_buy else "BUY",
    }
    if wanted.type == "LIMIT":
        params["workingTimeInForce"] = wanted.time_in_force
    # what a purchase receives pays the exit only on the buying side
    uses_opo = lists.opo and wanted.is_buy
    if not uses_opo:
        lowered = quantity * (1 - fee) if wanted.is_buy else quantity
        params["pendingQuantity"] = plain(round_down(lowered, step))
    pending_side = str(params["pendingSide"])
    if wanted.targets:
        above, below = f"{client_id}a", f"{client_id}b"
        params |= _pair("pending", pending_side, wanted.targets[0], wanted.stop, above, below)
        path = "opoco" if uses_opo else "otoco"
        return Request(
            f"{LIST_HEAD}/{path}", params, 3, {"list": list_id, "above": above, "below": below}
        )
    params |= {
        "pendingType": "STOP_LOSS",
        "pendingStopPrice": plain(wanted.stop),
        "pendingClientOrderId": f"{client_id}b",
    }
    path = "opo" if uses_opo else "oto"
    return Request(f"{LIST_HEAD}/{path}", params, 2, {"list": list_id, "below": f"{client_id}b"})


def _pair(
    head: str, side: str, target: Decimal, stop: Decimal, above_id: str, below_id: str
) -> Params:
    """The two legs of an OCO, named as the request wants them."""
    limit, trigger = ("Above", "Below") if side == "SELL" else ("Below", "Above")
    ids = {"Above": above_id, "Below": below_id}

    def named(place: str, name: str) -> str:
        text = f"{head}{place}{name}"
        return text[0].lower() + text[1:]

    return {
        named(limit, "Type"): "LIMIT_MAKER",
        named(limit, "Price"): plain(target),
        named(limit, "ClientOrderId"): ids[limit],
        named(trigger, "Type"): "STOP_LOSS",
        named(trigger, "StopPrice"): plain(stop),
        named(trigger, "ClientOrderId"): ids[trigger],
    }


def _usdm(wanted: Wanted, quantity: Decimal | None, client_id: str) -> Request:
    params: Params = {
        "symbol": wanted.symbol,
        "side": wanted.side,
        "type": wanted.type,
        "positionSide": wanted.position_side,
    }
    if quantity is not None:
        params["quantity"] = plain(quantity)
    if wanted.is_reduce_only:
        params["reduceOnly"] = "true"
    if wanted.price is not None:
        params |= {"price": plain(wanted.price), "timeInForce": wanted.time_in_force}
    if not wanted.is_algo:
        params |= {"newClientOrderId": client_id, "newOrderRespType": "RESULT"}
        if wanted.good_till is not None:
            params["goodTillDate"] = wanted.good_till
        return Request(ORDER_PATHS["usdm"], params)
    params |= {
        "algoType": "CONDITIONAL",
        "clientAlgoId": client_id,
        "workingType": wanted.working_type,
    }
    if wanted.closes_position:
        params["closePosition"] = "true"
    if wanted.stop_price is not None:
        params["triggerPrice"] = plain(wanted.stop_price)
    if wanted.callback_rate is not None:
        params["callbackRate"] = plain(wanted.callback_rate)
    if wanted.activate_price is not None:
        params["activatePrice"] = plain(wanted.activate_price)
    return Request(ALGO_PATH, params)
