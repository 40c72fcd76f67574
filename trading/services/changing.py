"""Changing an order that rests: amended where it keeps its place, else replaced, with each half of
a replacement told. Sources: order_amend_keep_priority.md, cancelReplace, USD-M modify (2026)."""

from decimal import Decimal
from typing import Any

from accounts.models import ExchangeAccount
from accounts.vault.keyfiles import KeyProblem
from lib.decimals import plain
from lib.envelope import NotOurs
from market.binance import filters
from market.binance.errors import ExchangeError, Refused, UnknownOutcome
from market.binance.ordering import HalfDone, NeverLeft, OrderRest
from trading.answers import order_of
from trading.changes import Change
from trading.errors import Away, Conflict, NotFound
from trading.models import OrderIntent, TradingSwitch
from trading.sentences import told as _
from trading.services import guarding, planning, pricing, relisting
from trading.services.cancelling import ALGO, GONE, SPOT, USDM, Target, cancel_one
from trading.services.desk import desk
from trading.services.finding import find
from trading.services.placing import take_budget

OPEN = {"NEW", "PARTIALLY_FILLED", "PENDING_NEW"}


def change(
    account: ExchangeAccount,
    target: Target,
    wanted: Change,
    client_id: str,
    intent: OrderIntent | None = None,
) -> dict[str, Any]:
    """What was done: `{"result": "amended" | "replaced", "order": …}`; `client_id` is the name of
    the order that replaces. Raises Conflict where half was done (code `half_done`, saying which
    half) or the exchange refused, NotFound, BadOrder, Forbidden, Away. `intent`: the order is of
    ours, so that its list can be made again."""
    switch = guarding.need_switch(account, target.market)
    now = _ask(account, target)
    _check_filters(target, now, wanted)
    far = guarding.too_far(
        switch,
        pricing.prices_of(account, target.market, target.symbol).mark,
        (wanted.price, wanted.stop_price),
    )
    if far is not None:
        raise far
    _need_caps(switch, target, now, wanted)
    if target.is_algo:
        take_budget(account, target.market, 1)
        return _run(account, lambda rest: _algo(rest, target, now, wanted, client_id))
    if target.market == "usdm":
        take_budget(account, target.market, 1)
        return _run(account, lambda rest: _usdm(rest, target, now, wanted))
    if int(now.get("orderListId", -1)) >= 0:
        return _listed(account, target, now, wanted, client_id, intent)
    if _only_shrinks(now, wanted):
        return _run(account, lambda rest: _amend(rest, target, now, wanted))
    take_budget(account, target.market, 1)
    return _run(account, lambda rest: _replace(rest, target, now, wanted, client_id))


def _listed(
    account: ExchangeAccount,
    target: Target,
    now: dict[str, Any],
    wanted: Change,
    client_id: str,
    intent: OrderIntent | None,
) -> dict[str, Any]:
    """Raises TradingError."""
    if intent is None or "/orderList/" not in intent.request["path"]:
        raise Conflict(
            "in_list",
            _(
                "This order belongs to an order list that was made elsewhere: replacing it would "
                "take the list's other orders out. Cancel the list and place a new one."
            ),
        )
    if Decimal(now["executed"] or 0):
        raise Conflict(
            "partly_filled",
            _(
                "%(executed)s of it are filled: protect that part, or cancel the rest.",
                executed=now["executed"],
            ),
        )
    request = relisting.changed(intent, wanted, client_id)
    take_budget(account, target.market, request.orders)
    done = _run(account, lambda rest: relisting.relist(rest, intent, target, request))
    OrderIntent.objects.filter(pk=intent.pk).update(request=request.as_json())
    return done


def _run(account: ExchangeAccount, work: Any) -> dict[str, Any]:
    try:
        done: dict[str, Any] = desk.run(account, work)
    except Refused as error:
        raise Conflict(
            str(error.code), _("The exchange changed nothing: %(error)s", error=error)
        ) from error
    except NeverLeft as error:
        raise Away(
            _("The exchange could not be reached; nothing was changed. %(error)s", error=error)
        ) from error
    except UnknownOutcome as error:
        raise Conflict(
            "unknown",
            _(
                "Nobody knows whether the change was done: look at the order. %(error)s",
                error=error,
            ),
        ) from error
    except (ExchangeError, KeyProblem, NotOurs) as error:
        raise Away(
            _("The exchange cannot be asked just now; nothing was changed. %(error)s", error=error)
        ) from error
    return done


def _ask(account: ExchangeAccount, target: Target) -> dict[str, Any]:
    """The order as it stands. Raises NotFound, Conflict where it is not open, Away."""
    try:
        answer = desk.run(account, lambda rest: rest.look(target.path, target.params))
    except Refused as error:
        if error.code in GONE:
            raise NotFound("order", _("The exchange does not know this order.")) from error
        raise Conflict(str(error.code), error) from error
    except (ExchangeError, KeyProblem, NotOurs) as error:
        raise Away(_("The order cannot be looked at just now: %(error)s", error=error)) from error
    order = {**answer, **order_of(answer, "")}
    if order["status"] not in OPEN:
        raise Conflict(
            "already_gone",
            _("This order is not open any more: %(status)s.", status=order["status"]),
        )
    return order


async def _amend(
    rest: OrderRest, target: Target, now: dict[str, Any], wanted: Change
) -> dict[str, Any]:
    """Keeps its place in the queue and its client order id."""
    assert wanted.quantity is not None
    params = {
        "symbol": target.symbol,
        "orderId": now["order_id"],
        "newQty": plain(wanted.quantity),
        "newClientOrderId": now["client_id"],
    }
    path = f"{SPOT}/amend/keepPriority"
    timestamp_ms = await rest.make_room(path, weight=4)
    answer = await rest.send("put", path, params, timestamp_ms)
    return {"result": "amended", "order": order_of(answer.get("amendedOrder", {}), "")}


async def _replace(
    rest: OrderRest, target: Target, now: dict[str, Any], wanted: Change, client_id: str
) -> dict[str, Any]:
    """Cancel and new in one request; the new one only where the old one is out."""
    quantity = wanted.quantity or Decimal(now["quantity"])
    left = quantity - Decimal(now["executed"] or 0)
    if left <= 0:
        raise Refused(0, _("%(executed)s of it are filled already", executed=now["executed"]))
    params: dict[str, Any] = {
        "symbol": target.symbol,
        "side": now["side"],
        "type": now["type"],
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrderId": now["order_id"],
        "newClientOrderId": client_id,
        "newOrderRespType": "RESULT",
        "quantity": plain(left),
    }
    price = wanted.price or Decimal(now["price"] or 0)
    if price:
        params["price"] = plain(price)
        if now["type"] != "LIMIT_MAKER":
            params["timeInForce"] = now.get("timeInForce", "GTC")
    trigger = wanted.stop_price or Decimal(now["stop_price"] or 0)
    if trigger:
        params["stopPrice"] = plain(trigger)
    path = f"{SPOT}/cancelReplace"
    timestamp_ms = await rest.make_room(path)
    try:
        answer = await rest.send("post", path, params, timestamp_ms)
    except HalfDone as error:
        raise _half(error, client_id) from error
    except UnknownOutcome:
        order = await find(rest, Target(target.market, target.symbol, client_id=client_id))
        if order is None:
            raise
        return {"result": "replaced", "order": order}
    return {"result": "replaced", "order": order_of(answer.get("newOrderResponse", {}), client_id)}


def _half(error: HalfDone, client_id: str) -> Exception:
    """-2022: nothing was done; -2021: one half, which `cancelResult` and `newOrderResult` tell."""
    cancel, new = error.data.get("cancelResult"), error.data.get("newOrderResult")
    why = error.data.get("newOrderResponse") or error.data.get("cancelResponse") or {}
    reason = str(why.get("msg", "")) if isinstance(why, dict) else ""
    if cancel == "SUCCESS" and new != "SUCCESS":
        return Conflict(
            "half_done",
            _("The old order is cancelled, the new one was refused: %(error)s", error=reason),
            cancelled=True,
            placed=False,
            client_id=client_id,
        )
    if cancel != "SUCCESS" and new == "SUCCESS":
        return Conflict(
            "half_done",
            _("The new order is placed, the old one was not cancelled: %(error)s", error=reason),
            cancelled=False,
            placed=True,
            client_id=client_id,
        )
    return Conflict(
        str(error.code),
        _("The exchange changed nothing: %(error)s", error=reason),
        cancelled=False,
        placed=False,
    )


async def _usdm(
    rest: OrderRest, target: Target, now: dict[str, Any], wanted: Change
) -> dict[str, Any]:
    """The same order, at another place of the queue."""
    if wanted.stop_price is not None:
        raise Refused(0, _("an order without a trigger has none to change"))
    params = {
        "symbol": target.symbol,
        "orderId": now["order_id"],
        "side": now["side"],
        "quantity": plain(wanted.quantity or Decimal(now["quantity"])),
        "price": plain(wanted.price or Decimal(now["price"])),
    }
    timestamp_ms = await rest.make_room(USDM)
    answer = await rest.send("put", USDM, params, timestamp_ms)
    return {"result": "amended", "order": order_of(answer, "")}


async def _algo(
    rest: OrderRest, target: Target, now: dict[str, Any], wanted: Change, client_id: str
) -> dict[str, Any]:
    """Conditional orders cannot be changed: the new one is placed first, so that the position is
    never without its stop; then the old one goes."""
    names = (
        "symbol",
        "side",
        "positionSide",
        "workingType",
        "timeInForce",
        "callbackRate",
        "activatePrice",
    )
    params: dict[str, Any] = {name: now[name] for name in names if now.get(name)}
    params |= {"algoType": "CONDITIONAL", "type": now["type"], "clientAlgoId": client_id}
    closes = str(now.get("closePosition")).lower() == "true"
    if closes:
        params["closePosition"] = "true"
    else:
        params["quantity"] = plain(wanted.quantity or Decimal(now["quantity"]))
        if str(now.get("reduceOnly")).lower() == "true":
            params["reduceOnly"] = "true"
    trigger = wanted.stop_price or Decimal(now["stop_price"] or 0)
    if trigger:
        params["triggerPrice"] = plain(trigger)
    price = wanted.price or Decimal(now["price"] or 0)
    if price and now["type"] in {"STOP", "TAKE_PROFIT"}:
        params["price"] = plain(price)
    if closes:  # of these one a side: the old one goes first
        return await _algo_in_turn(rest, target, params, client_id)
    timestamp_ms = await rest.make_room(ALGO)
    new = Target(target.market, target.symbol, client_id=client_id, is_algo=True)
    order = await _sent_algo(rest, params, timestamp_ms, new)
    try:
        outcome, _order = await cancel_one(rest, target)
        if outcome == "already_gone":  # it was triggered, or somebody else moved it: not two of it
            await cancel_one(rest, new)
            raise Conflict(
                "already_gone", _("This order is not open any more; nothing replaced it.")
            )
    except ExchangeError as error:
        raise Conflict(
            "half_done",
            _("The new order is placed, the old one was not cancelled: %(error)s", error=error),
            cancelled=False,
            placed=True,
            order=order,
        ) from error
    return {"result": "replaced", "order": order}


async def _sent_algo(
    rest: OrderRest, params: dict[str, Any], timestamp_ms: int, new: Target
) -> dict[str, Any]:
    """Raises ExchangeError; UnknownOutcome only when nobody says for seconds that it is there."""
    try:
        answer = await rest.send("post", ALGO, params, timestamp_ms)
    except UnknownOutcome:
        order = await find(rest, new)
        if order is None:
            raise
        return order
    return order_of(answer, new.client_id)


async def _algo_in_turn(
    rest: OrderRest, target: Target, params: dict[str, Any], client_id: str
) -> dict[str, Any]:
    outcome, _order = await cancel_one(rest, target)
    if outcome == "already_gone":
        raise Conflict("already_gone", _("This order is not open any more."))
    new = Target(target.market, target.symbol, client_id=client_id, is_algo=True)
    try:
        timestamp_ms = await rest.make_room(ALGO, is_urgent=True)
        order = await _sent_algo(rest, params, timestamp_ms, new)
    except (ExchangeError, NeverLeft) as error:
        raise Conflict(
            "half_done",
            _("The old order is cancelled, the new one was not placed: %(error)s", error=error),
            cancelled=True,
            placed=False,
            client_id=client_id,
        ) from error
    return {"result": "replaced", "order": order}


def _only_shrinks(now: dict[str, Any], wanted: Change) -> bool:
    if wanted.price is not None or wanted.stop_price is not None or wanted.quantity is None:
        return False
    return Decimal(now["executed"] or 0) < wanted.quantity < Decimal(now["quantity"])


def _check_filters(target: Target, now: dict[str, Any], wanted: Change) -> None:
    """Raises BadOrder naming the filter."""
    listing = pricing.listing_of(target.market, target.symbol)
    if listing is None:
        return
    price = wanted.price or Decimal(now["price"] or 0) or None
    draft = filters.Draft(
        side=str(now.get("side", "BUY")),
        quantity=wanted.quantity or Decimal(now["quantity"] or 0) or None,
        price=price,
        stop_price=wanted.stop_price,
        is_reduce_only=target.market == "usdm",
    )
    for fault in filters.faults(listing.filters, draft):
        raise planning.as_problem(fault)


def _need_caps(switch: TradingSwitch, target: Target, now: dict[str, Any], wanted: Change) -> None:
    """Raises Forbidden: an order that grows, by its quantity or its price, is held as a new one
    is. What only reduces a position may move."""
    if target.market == "usdm" and _reduces(now):
        return
    before, after = _worth(now, Change()), _worth(now, wanted)
    if after is not None and before is not None and after <= before:
        return
    over = (
        guarding.over_symbols(switch, target.symbol)
        or guarding.over_order_cap(switch, after)
        or (None if _is_sale(target, now) else guarding.over_day_loss(switch))
    )
    if over is not None:
        raise over


def _worth(now: dict[str, Any], wanted: Change) -> Decimal | None:
    """In the quote; None: nobody knows its price."""
    price = wanted.price or Decimal(now["price"] or 0)
    price = price or wanted.stop_price or Decimal(now["stop_price"] or 0)
    quantity = wanted.quantity or Decimal(now["quantity"] or 0)
    return quantity * price if price else None


def _reduces(now: dict[str, Any]) -> bool:
    if str(now.get("reduceOnly")).lower() == "true":
        return True
    if str(now.get("closePosition")).lower() == "true":
        return True
    position_side = str(now.get("positionSide") or "BOTH")
    return position_side != "BOTH" and (now.get("side") == "BUY") == (position_side == "SHORT")


def _is_sale(target: Target, now: dict[str, Any]) -> bool:
    return target.market == "spot" and now.get("side") == "SELL"
