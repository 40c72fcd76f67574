"""What became of an intent whose answer is not known: asked for by its client order id, never by
sending again. Also what was written and never sent, and what was sent by a process that is gone.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.services import credentials
from accounts.vault.keyfiles import KeyProblem
from journal.models import Order
from lib.dates import to_ms
from lib.decimals import plain
from lib.envelope import NotOurs
from market.binance.errors import BadKey, ExchangeError, Refused
from market.binance.ordering import OrderRest, expires_ms
from trading.answers import order_of
from trading.models import OrderIntent
from trading.models.intents import SENT_WITHIN
from trading.services import sending
from trading.services.desk import desk
from trading.services.settling import settle

log = structlog.get_logger(__name__)

State = OrderIntent.State
BY = "resolver"
# A process that has claimed an intent answers within this time, or it is gone.
SENDER_GONE = timedelta(seconds=15)
# A written one is taken over from a request that seems to be gone.
TAKEN_OVER = timedelta(seconds=2)
# Answers "not there" that have to agree, and how far apart.
ANSWERS_NEEDED = 2
APART = timedelta(seconds=1)
KEY_AWAY = timedelta(seconds=60)
KEY_GONE = gettext_noop(
    "The account's key is gone: look at the exchange whether this order is there."
)
NOT_THERE = {-2013, -2011}
# It was there once.
ARCHIVED = -2026
AT_ONCE = 200


def resolve_once() -> int:
    """One look at everything that is under way. Returns how many rows it looked at."""
    rows = list(due().select_related("account")[:AT_ONCE])
    for intent in rows:
        try:
            _resolve(intent)
        except Exception:  # one that is ill must not keep the others unknown
            log.exception("intent not resolved", intent=str(intent.pk))
            _look_later(intent, timedelta(seconds=5))
    return len(rows)


def resolve(intent_id: UUID) -> None:
    intent = OrderIntent.objects.here().select_related("account").filter(pk=intent_id).first()
    if intent is not None:
        _resolve(intent)


def due() -> "QuerySet[OrderIntent]":
    """What is under way and waits for a look, the longest first."""
    now = timezone.now()
    under_way = (
        Q(state=State.WRITTEN, made_at__lt=now - TAKEN_OVER)
        | Q(state=State.SENT, changed_at__lt=now - SENDER_GONE)
        | Q(state=State.UNKNOWN) & (Q(look_at=None) | Q(look_at__lte=now))
        # of a restored database: it may have been sent before all the same
        | Q(state=State.EXPIRED, code="restored", look_at__lte=now)
    )
    rows: QuerySet[OrderIntent] = OrderIntent.objects.here().filter(under_way)
    return rows.order_by(F("look_at").asc(nulls_first=True))


def _resolve(intent: OrderIntent) -> None:
    if intent.state == State.WRITTEN:
        _send_or_expire(intent)
    elif intent.state == State.SENT:
        settle(
            intent.pk,
            State.UNKNOWN,
            BY,
            detail=gettext_noop("Whoever sent it has not said how it ended."),
        )
    elif _take_turn(intent):
        _look(intent)


def _send_or_expire(intent: OrderIntent) -> None:
    if sending.age_seconds(intent) <= SENT_WITHIN.total_seconds():
        sending.send(intent.pk, BY)
        return
    with transaction.atomic():
        row = OrderIntent.objects.select_for_update(of=("self",)).get(pk=intent.pk)
        refusal = sending.why_never(row) if row.state == State.WRITTEN else None
        if refusal is None:
            return
        state, code, detail = refusal
        settle(row.pk, state, BY, code=code, detail=detail)


def _take_turn(intent: OrderIntent) -> bool:
    """Only one worker asks for it now."""
    now = timezone.now()
    mine = OrderIntent.objects.filter(pk=intent.pk, state=intent.state, look_at=intent.look_at)
    return bool(mine.update(look_at=now + timedelta(seconds=10)))


def _look(intent: OrderIntent) -> None:
    heard = _heard(intent)
    if heard is not None:
        settle(intent.pk, State.ACCEPTED, "journal", order=heard)
        return
    key = credentials.for_orders(intent.account)
    if not credentials.has_key(key):  # a new key or the stream may still tell
        OrderIntent.objects.filter(pk=intent.pk, state=intent.state).update(detail=KEY_GONE)
        _look_later(intent, KEY_AWAY)
        return
    try:
        answer, asked_ms = desk.run(intent.account, lambda rest: _ask(rest, intent))
    except BadKey as error:  # its owner has to mend the key; the stream may still tell
        log.warning("intent cannot be looked up", intent=str(intent.pk), code=error.code)
        _look_later(intent, KEY_AWAY)
        return
    except (ExchangeError, KeyProblem, NotOurs) as error:
        log.info("intent not looked up yet", intent=str(intent.pk), error=type(error).__name__)
        _look_later(intent, APART)
        return
    if answer is None:
        _missed(intent, asked_ms)
    elif str(answer.get("algoStatus") or answer.get("status")) == "REJECTED":
        settle(
            intent.pk,
            State.REFUSED,
            BY,
            code="rejected",
            detail=gettext_noop("The exchange took it and rejected it."),
            order=order_of(answer, ""),
        )
    else:
        settle(intent.pk, State.ACCEPTED, BY, order=order_of(answer, intent.client_id))


async def _ask(rest: OrderRest, intent: OrderIntent) -> tuple[dict[str, Any] | None, int]:
    """(the order, or None: the exchange does not know it; the exchange's time before the question).

    Raises ExchangeError.
    """
    name = client_id_of(intent)
    if intent.is_algo:
        path, params = "/fapi/v1/algoOrder", {"clientAlgoId": name}
    else:
        path = "/fapi/v1/order" if intent.market == "usdm" else "/api/v3/order"
        params = {"symbol": intent.symbol, "origClientOrderId": name}
    asked_ms = await rest.make_room(path, weight=0, is_urgent=True)
    try:
        return await rest.look(path, params), asked_ms
    except BadKey:
        raise
    except Refused as error:
        if error.code == ARCHIVED:
            return {"clientOrderId": name, "status": "CANCELED"}, asked_ms
        if error.code in NOT_THERE:
            return None, asked_ms
        raise


def client_id_of(intent: OrderIntent) -> str:
    """The id that the exchange knows an order of it by: of a list of two exits the one above."""
    ids: dict[str, str] = intent.request.get("ids", {})
    return ids["above"] if intent.is_pair else intent.client_id


def _missed(intent: OrderIntent, asked_ms: int) -> None:
    """Only what was asked after the order's last possible moment counts."""
    if intent.state == State.EXPIRED:  # of a restored database, and really not there
        OrderIntent.objects.filter(pk=intent.pk).update(look_at=None)
        return
    assert intent.timestamp_ms is not None
    last_ms = expires_ms(intent.timestamp_ms)
    if asked_ms <= last_ms:
        wait = timedelta(milliseconds=min(last_ms - asked_ms + 50, 2000))
        _look_later(intent, wait)
        return
    with transaction.atomic():
        row = OrderIntent.objects.select_for_update(of=("self",)).get(pk=intent.pk)
        row.missed = [*row.missed, asked_ms]
        row.look_at = timezone.now() + APART
        row.save(update_fields=["missed", "look_at"])
        if len(row.missed) >= ANSWERS_NEEDED:
            detail = gettext_noop(
                "The exchange never got it: asked twice after its time had passed."
            )
            settle(row.pk, State.REFUSED, BY, code="never_arrived", detail=detail)


def _look_later(intent: OrderIntent, wait: timedelta) -> None:
    at = timezone.now() + wait
    OrderIntent.objects.filter(pk=intent.pk, state=intent.state).update(look_at=at)


def _heard(intent: OrderIntent) -> dict[str, Any] | None:
    """What the journal has heard of it by stream or reading."""
    if intent.is_algo:
        return None
    order = Order.objects.filter(
        account=intent.account_id, client_id=client_id_of(intent), market=intent.market
    ).first()
    if order is None:
        return None
    return {
        "order_id": order.order_id,
        "client_id": order.client_id,
        "status": order.status,
        "type": order.type,
        "price": plain(order.price),
        "quantity": plain(order.quantity),
        "executed": plain(order.executed),
        "changed": to_ms(order.changed_at),
    }
