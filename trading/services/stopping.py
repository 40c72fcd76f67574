"""The brake: trading off, every order out, and where asked for, every position too. It asks for no
second factor, and what cannot be done at once is told and goes on by itself."""

from decimal import Decimal
from typing import Any

import structlog
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.models import ExchangeAccount, User
from accounts.services import credentials
from accounts.vault.keyfiles import KeyProblem
from lib.decimals import plain
from lib.envelope import NotOurs
from lib.parking import Parking
from market.binance.errors import ExchangeError
from market.binance.filters import round_down
from market.jobs.guarding import each
from trading import requests
from trading.models import OrderIntent
from trading.models.intents import new_client_id
from trading.selectors.trades import OPEN
from trading.sentences import told as _
from trading.services import cancelling, lives, pricing, sending, switching
from trading.services.desk import desk
from trading.services.settling import settle

log = structlog.get_logger(__name__)

State = OrderIntent.State
ZERO = Decimal(0)
# nothing at the exchange waits for long
parked = Parking(longest=30.0)


def stop(
    *, account: ExchangeAccount, actor: User | None, why: str, flatten: bool
) -> dict[str, Any]:
    """In this order: nothing new is sent, what was written never is, what is open goes out. What is
    under way at this moment is taken out when it arrives (`late_arrivals`)."""
    switching.switch_off(account=account, actor=actor, why=why, stopped=True)
    written = OrderIntent.objects.filter(account=account, state=State.WRITTEN)
    for intent in written:
        settle(
            intent.pk,
            State.EXPIRED,
            "stop",
            code="trading_off",
            detail=gettext_noop("Trading was stopped before it was sent: never sent."),
        )
    answer: dict[str, Any] = {"account": str(account.pk), "trading": "off"}
    if not credentials.has_key(credentials.for_orders(account)):
        return {**answer, **cancelling.Cancelled().as_json()}
    answer |= cancelling.cancel_all(account).as_json()
    under_way = OrderIntent.objects.filter(account=account, state__in=[State.SENT, State.UNKNOWN])
    answer["under_way"] = [intent.client_id for intent in under_way]
    if flatten:
        answer["flattened"] = flatten_all(account, actor or account.user)
    return answer


def flatten_all(account: ExchangeAccount, actor: User) -> list[dict[str, Any]]:
    """Out of every futures position by reduce-only market orders."""
    if not credentials.for_orders(account).permissions.get("enableFutures"):
        return []
    try:
        rows = desk.run(account, lambda rest: rest.look("/fapi/v3/positionRisk", {}))
    except (ExchangeError, KeyProblem, NotOurs) as error:
        detail = _("The positions cannot be asked for just now: %(error)s", error=error)
        return [{"detail": str(detail)[:200]}]
    done: list[dict[str, Any]] = []
    for row in rows:
        amount = Decimal(str(row.get("positionAmt") or 0))
        if amount:
            side = str(row.get("positionSide") or "BOTH")
            done += close_position(account, actor, str(row["symbol"]), amount, side)
    return done


def close_position(
    account: ExchangeAccount,
    actor: User,
    symbol: str,
    amount: Decimal,
    position_side: str,
    key: str = "",
) -> list[dict[str, Any]]:
    """`amount` is signed. In as many orders as the exchange wants of one market order's size. What
    was written under this key by somebody who is gone is told, and not made again."""
    done: list[dict[str, Any]] = []
    begun = OrderIntent.objects.filter(account=account, role=OrderIntent.Role.EXIT, body__key=key)
    if key and (rows := list(begun.order_by("made_at", "pk"))):
        return [_shown(intent) for intent in rows]
    for part in _parts(symbol, amount):
        client_id = new_client_id("x")
        request = requests.usdm_exit(symbol, part, position_side, client_id)
        intent = OrderIntent(
            user=account.user,
            account=account,
            role=OrderIntent.Role.EXIT,
            market="usdm",
            symbol=symbol,
            side=str(request.params["side"]),
            client_id=client_id,
            body={
                "exit": symbol,
                "amount": plain(part),
                "position_side": position_side,
                "key": key,
            },
            request=request.as_json(),
            is_reduce_only=True,
            life=lives.now(),
        )
        intent.history = [intent.note(State.WRITTEN, timezone.now(), actor.get_username())]
        intent.save(force_insert=True)
        done.append(_shown(sending.send(intent.pk, "stop")))
    return done


def _shown(intent: OrderIntent) -> dict[str, Any]:
    return {
        "symbol": intent.symbol,
        "id": str(intent.pk),
        "client_id": intent.client_id,
        "quantity": plain(abs(Decimal(intent.body["amount"]))),
        "state": intent.state,
        "detail": intent.detail,
    }


def late_arrivals() -> int:
    """Takes out again what `late_orders` has. Returns how many."""
    rows = late_orders().select_related("account")[:100]
    return len(each("late order", rows, _take_out, name_of=lambda intent: intent.pk, parked=parked))


def late_orders() -> "QuerySet[OrderIntent]":
    """Orders made before their account was stopped that arrived after it, and those that were
    cancelled before anybody knew where they were."""
    stopped_at = F("account__trading_switch__stopped_at")
    # those too that were there at the stop and could not be cancelled then
    before_the_stop = Q(
        is_reduce_only=False,
        account__trading_switch__stopped_at__isnull=False,
        made_at__lt=stopped_at,
    )
    late: QuerySet[OrderIntent] = OrderIntent.objects.here().filter(
        before_the_stop | Q(is_unwanted=True),
        state=State.ACCEPTED,
        order__status__in=OPEN,
    )
    return late


def _take_out(intent: OrderIntent) -> None:
    """Raises TradingError: then it is tried again, later each time."""
    cancelling.cancel_intent(intent)


def _parts(symbol: str, amount: Decimal) -> list[Decimal]:
    listing = pricing.listing_of("usdm", symbol)
    rows = listing.filters if listing is not None else []
    most = next(
        (Decimal(row["maxQty"]) for row in rows if row.get("filterType") == "MARKET_LOT_SIZE"), ZERO
    )
    if not most or abs(amount) <= most:
        return [amount]
    step = Decimal(listing.step_size) if listing is not None else ZERO
    whole = round_down(most, step)
    sign = 1 if amount > 0 else -1
    left = abs(amount)
    parts: list[Decimal] = []
    while left > 0 and len(parts) < 100:
        parts.append(sign * min(left, whole))
        left -= min(left, whole)
    return parts
