"""Taking orders out: one of ours, one that was placed elsewhere, or all of an account. A cancel
asks for no switch and no factor, goes on without Redis, and may be sent again: it does nothing
twice."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import ExchangeAccount
from accounts.services import credentials
from accounts.vault.keyfiles import KeyProblem
from lib.envelope import NotOurs
from market.binance.errors import ExchangeError, Refused, TryAgain, UnknownOutcome
from market.binance.ordering import NeverLeft, OrderRest
from trading.answers import order_of
from trading.errors import Away, Conflict
from trading.models import OrderIntent
from trading.sentences import told as _
from trading.services.desk import desk
from trading.services.settling import settle

log = structlog.get_logger(__name__)

State = OrderIntent.State
UNDER_WAY = {State.WRITTEN, State.SENT, State.UNKNOWN}
TRIES = 3
# "Unknown order sent.": it is not there any more.
GONE = {-2011, -2013}
SPOT, USDM, ALGO = "/api/v3/order", "/fapi/v1/order", "/fapi/v1/algoOrder"
OPEN_PATHS = {
    "spot": ("/api/v3/openOrders",),
    "usdm": ("/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"),
}


@dataclass(frozen=True)
class Target:
    """An order at the exchange, by one of its names."""

    market: str
    symbol: str
    order_id: int | None = None
    algo_id: int | None = None
    client_id: str = ""
    is_algo: bool = False

    @property
    def path(self) -> str:
        return ALGO if self.is_algo else USDM if self.market == "usdm" else SPOT

    @property
    def params(self) -> dict[str, Any]:
        if self.is_algo:
            by_id = self.algo_id is not None
            return {"algoId": self.algo_id} if by_id else {"clientAlgoId": self.client_id}
        named: dict[str, Any] = {"symbol": self.symbol}
        if self.order_id is not None:
            return named | {"orderId": self.order_id}
        return named | {"origClientOrderId": self.client_id}

    def as_json(self) -> dict[str, Any]:
        names = {"order_id": self.order_id, "algo_id": self.algo_id}
        facts: dict[str, Any] = {k: v for k, v in names.items() if v is not None}
        if self.client_id:
            facts["client_id"] = self.client_id
        return {"market": self.market, "symbol": self.symbol, **facts}


@dataclass
class Cancelled:
    cancelled: list[dict[str, Any]] = field(default_factory=list)
    already_gone: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: "Cancelled") -> None:
        self.cancelled += other.cancelled
        self.already_gone += other.already_gone
        self.failed += other.failed

    def as_json(self) -> dict[str, Any]:
        return {
            "cancelled": self.cancelled,
            "already_gone": self.already_gone,
            "failed": self.failed,
        }


def cancel_intent(intent: OrderIntent) -> dict[str, Any]:
    """An intent that was not sent is never sent; one that may be there is taken out by its client
    order id, with the stops that waited for it. Raises Away, Conflict."""
    if intent.state == State.WRITTEN:
        with transaction.atomic():
            row = OrderIntent.objects.select_for_update(of=("self",)).get(pk=intent.pk)
            if row.state == State.WRITTEN:
                settle(
                    row.pk,
                    State.EXPIRED,
                    "owner",
                    code="cancelled",
                    detail=gettext_noop("Cancelled before it was sent: never sent."),
                )
                told = {"id": str(row.pk), "client_id": row.client_id}
                return {**told, "result": "cancelled", "order": row.order}
        # somebody has claimed it meanwhile: it may be on its way
        intent.refresh_from_db(from_queryset=OrderIntent.objects.select_related("account"))
    is_looked_for = intent.state == State.EXPIRED and intent.look_at is not None
    if intent.state in {State.REFUSED, State.EXPIRED} and not is_looked_for:
        return _told(intent, "already_gone", {})
    is_known = not is_looked_for and intent.state not in UNDER_WAY
    outcome, order = cancel(intent.account, target_of(intent), is_known=is_known)
    if outcome == "already_gone" and not is_known:
        # it may still arrive: then it is taken out (stopping.late_arrivals)
        OrderIntent.objects.filter(pk=intent.pk).update(is_unwanted=True)
        return _told(intent, "under_way", {})
    is_told = bool(order) or (outcome == "cancelled" and intent.is_algo)
    ended = order if is_told else _how_it_ended(intent)
    if ended is not None:
        order = ended
        # what was taken out was there
        state = State.ACCEPTED if outcome == "cancelled" else intent.state
        settle(intent.pk, state, "owner", order=ended or out_of(intent))
    if outcome == "cancelled" and not _is_filled(order):
        _cancel_legs(intent)
    return _told(intent, outcome, order)


def cancel(
    account: ExchangeAccount, target: Target, *, is_known: bool = True
) -> tuple[str, dict[str, Any]]:
    """("cancelled" or "already_gone", the order as it was told). Raises Away, Conflict."""
    try:
        return desk.run(account, lambda rest: cancel_one(rest, target, is_known=is_known))
    except Refused as error:
        raise Conflict(
            str(error.code), _("The exchange did not cancel it: %(error)s", error=error)
        ) from error
    except (ExchangeError, KeyProblem, NotOurs) as error:
        raise Away(_("The exchange could not be told to cancel: %(error)s", error=error)) from error


async def cancel_one(
    rest: OrderRest, target: Target, *, is_known: bool = True
) -> tuple[str, dict[str, Any]]:
    """Raises ExchangeError. What came of a cancel that nobody answered is asked by sending it
    again: the order is out, or it says so. `is_known`: it was there for sure, so that one which is
    gone after a cancel without an answer is cancelled; else it may never have been there."""
    for attempt in range(TRIES):
        timestamp_ms = await rest.make_room(target.path, is_urgent=True)
        try:
            answer = await rest.send("delete", target.path, target.params, timestamp_ms)
        except Refused as error:
            if error.code in GONE:
                # gone by an earlier attempt of this call is cancelled
                return ("cancelled" if attempt and is_known else "already_gone"), {}
            raise
        except NeverLeft as error:
            if attempt == TRIES - 1:
                raise TryAgain(str(error)) from error
        except UnknownOutcome:
            if attempt == TRIES - 1:
                raise
        else:
            return "cancelled", _order_of(answer, target)
    raise AssertionError("a loop without an end")


def cancel_all(account: ExchangeAccount, market: str = "", symbol: str = "") -> Cancelled:
    """Everything open of an account, of both markets unless one is named; conditional orders too.
    What could not be cancelled is told, and holds up nothing else. Raises Away."""
    markets = [market] if market else [m for m in ("spot", "usdm") if _may(account, m)]
    done = Cancelled()
    for name in markets:
        try:
            done.add(desk.run(account, _all_of(name, symbol)))
        except (ExchangeError, KeyProblem, NotOurs) as error:
            log.warning("orders not cancelled", account=str(account.pk), error=type(error).__name__)
            done.failed.append({"market": name, "detail": str(error)[:200]})
    return done


def target_of(intent: OrderIntent) -> Target:
    """By the exchange's number where it is known (a replaced order has another), else by our id."""
    ids: dict[str, str] = intent.request.get("ids", {})
    name = ids.get("above", intent.client_id) if intent.is_pair else intent.client_id
    return Target(
        intent.market,
        intent.symbol,
        order_id=intent.order.get("order_id"),
        algo_id=intent.order.get("algo_id"),
        client_id=name,
        is_algo=intent.is_algo,
    )


def _all_of(market: str, symbol: str) -> Callable[[OrderRest], Awaitable[Cancelled]]:
    async def do(rest: OrderRest) -> Cancelled:
        done = Cancelled()
        for path in OPEN_PATHS[market]:
            try:
                rows = await rest.look(path, {"symbol": symbol} if symbol else {})
            except ExchangeError as error:  # what went out before is told all the same
                done.failed.append({"market": market, "detail": f"{path}: {error}"[:200]})
                continue
            for target in _targets(market, rows):
                try:
                    outcome, order = await cancel_one(rest, target)
                except ExchangeError as error:
                    done.failed.append({**target.as_json(), "detail": str(error)[:200]})
                    continue
                into = done.cancelled if outcome == "cancelled" else done.already_gone
                into.append({**target.as_json(), **order})
        return done

    return do


def _targets(market: str, rows: Any) -> list[Target]:
    """Of an order list the first leg is enough: with it the whole list goes."""
    targets: list[Target] = []
    lists: set[int] = set()
    for row in rows if isinstance(rows, list) else []:
        if "algoId" in row:
            targets.append(
                Target(
                    market,
                    str(row["symbol"]),
                    algo_id=int(row["algoId"]),
                    client_id=str(row.get("clientAlgoId", "")),
                    is_algo=True,
                )
            )
            continue
        list_id = int(row.get("orderListId", -1))
        if list_id in lists:
            continue
        if list_id >= 0:
            lists.add(list_id)
        targets.append(
            Target(
                market,
                str(row["symbol"]),
                order_id=int(row["orderId"]),
                client_id=str(row.get("clientOrderId", "")),
            )
        )
    return targets


def _cancel_legs(entry: OrderIntent) -> None:
    """The stops of an entry that was never filled protect nothing."""
    for leg in entry.legs.select_related("account").exclude(
        state__in=[State.REFUSED, State.EXPIRED]
    ):
        try:
            cancel_intent(leg)
        except (Away, Conflict) as error:
            log.warning("leg not cancelled", leg=str(leg.pk), code=error.code)


def _how_it_ended(intent: OrderIntent) -> dict[str, Any] | None:
    """{}: the exchange knows nothing of it any more; None: it does not say just now."""
    target = target_of(intent)
    try:
        answer = desk.run(intent.account, lambda rest: rest.look(target.path, target.params))
    except Refused as error:
        return {} if error.code in GONE else None
    except (ExchangeError, KeyProblem, NotOurs):
        return None
    return order_of(answer, intent.client_id)


def out_of(intent: OrderIntent) -> dict[str, Any]:
    """Newer than whatever is known of it."""
    return {"status": "CANCELED", "changed": int(intent.order.get("changed") or 0) + 1}


def _order_of(answer: Any, target: Target) -> dict[str, Any]:
    if not isinstance(answer, dict):
        return {}
    if target.is_algo:  # it says that it was done, and nothing of the order
        return {}
    order = order_of(answer, target.client_id)
    # of a cancel, `clientOrderId` is the cancel's own
    own = answer.get("origClientOrderId")
    return {**order, "client_id": own} if own else order


def _is_filled(order: dict[str, Any]) -> bool:
    return str(order.get("executed") or "0").strip("0.") != ""


def _may(account: ExchangeAccount, market: str) -> bool:
    key = credentials.for_orders(account)
    return market == "spot" or bool(key.permissions.get("enableFutures"))


def _told(intent: OrderIntent, outcome: str, order: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(intent.pk),
        "client_id": intent.client_id,
        "result": outcome,
        "order": order or intent.order,
    }
