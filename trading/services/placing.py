"""From a body to an order: written once a key, whatever dies and however often it is asked for."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
from django.db import transaction
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from trading import requests, wanted
from trading.answers import placed, status_of
from trading.errors import Away, BadOrder, NoBudget, NotFound, OtherBody
from trading.limits import Judgement
from trading.models import Idempotency, OrderIntent
from trading.models.intents import new_client_id
from trading.sentences import told as _
from trading.services import guarding, lives, planning, sending
from trading.services.desk import desk
from trading.services.planning import Plan
from trading.services.settling import tell
from trading.wanted import Wanted

LONGEST_KEY = 64
KEY_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]


def place(*, user: User, key: str | None, body: Any, by: str) -> Answer:
    """Raises TradingError; then nothing was written and the key is unused (OtherBody apart)."""
    key = checked_key(key)
    digest = digest_of("POST /api/orders", body)
    known = known_of(user, key, digest)
    if known is not None:
        return _as_it_stands(known, by)
    wish = wanted.read(body)
    account = account_of(user, wish.account)
    switch = guarding.need_switch(account, wish.market)
    plan = planning.plan(account, wish)
    planning.need_fit(plan)
    if (over := guarding.over_cap(switch, plan)) is not None:
        raise over
    judgements = guarding.broken_rules(user, plan)
    guarding.need_rules(judgements, wish.override)
    client_id = new_client_id()
    request = _request(plan, client_id)
    take_budget(account, wish.market, _count(wish, request))
    intent = _write(user, account, key, digest, plan, request, client_id, judgements)
    if intent is None:  # somebody else used the key meanwhile
        known = known_of(user, key, digest)
        assert known is not None
        return _as_it_stands(known, by)
    settled = sending.send(intent.pk, by)
    return Answer(status_of(settled), placed(settled))


def checked_key(key: str | None) -> str:
    """Raises BadOrder."""
    if key is None or key == "":
        raise BadOrder(
            "idempotency_key",
            _(
                "Expected the header Idempotency-Key: a key of your own for this order, so that it "
                "is placed once however often it is sent."
            ),
            field="Idempotency-Key",
        )
    if len(key) > LONGEST_KEY or not set(key) <= KEY_LETTERS:
        raise BadOrder(
            "idempotency_key",
            _(
                "Expected an Idempotency-Key of up to %(most)s of A-Z, a-z, 0-9, _ and -.",
                most=LONGEST_KEY,
            ),
            field="Idempotency-Key",
        )
    return key


def digest_of(door: str, body: Any) -> str:
    return hashlib.sha256(f"{door}\n{wanted.canonical(body)}".encode()).hexdigest()


def known_of(user: User, key: str, digest: str) -> Idempotency | None:
    """What the key was used for. Raises OtherBody."""
    known = Idempotency.objects.filter(user=user, key=key).first()
    if known is not None and known.digest != digest:
        raise OtherBody("other_body", _("This Idempotency-Key was used for something else."))
    return known


def account_of(user: User, account_id: UUID) -> ExchangeAccount:
    """Raises NotFound."""
    account = (
        ExchangeAccount.objects.visible_to(user)
        .filter(pk=account_id)
        .select_related("user")
        .first()
    )
    if account is None:
        raise NotFound("account", _("Expected the id of an exchange account of yours."))
    return account


def take_budget(account: ExchangeAccount, market: str, count: int) -> None:
    """Raises NoBudget, Away."""
    try:
        seconds = desk.budget(account, market, count)
    except redis.RedisError as error:
        raise Away(
            _("The count of orders cannot be asked just now; nothing was written.")
        ) from error
    if seconds:
        raise NoBudget(
            seconds,
            _(
                "The exchange takes no more orders of this account for %(seconds)s s; nothing was "
                "written.",
                seconds=f"{seconds:.0f}",
            ),
        )


def _as_it_stands(known: Idempotency, by: str) -> Answer:
    intent = OrderIntent.objects.filter(idempotency=known).first()
    if intent is None:  # a key of PATCH or flatten has another digest; an order has its intent
        return Answer(known.status or 202, known.answer)
    if intent.state == OrderIntent.State.WRITTEN:
        intent = sending.send(intent.pk, by)
    return Answer(status_of(intent), placed(intent))


def _request(plan: Plan, client_id: str) -> requests.Request:
    quantity = None if plan.wanted.quote_quantity is not None else plan.quantity
    return requests.request(
        plan.wanted,
        quantity,
        client_id,
        requests.Lists.of(plan.listing.options),
        plan.step,
        plan.rates.taker,
    )


def _count(wish: Wanted, request: requests.Request) -> int:
    """The order and what follows it."""
    if wish.stop is None or request.orders > 1:
        return request.orders
    following = 2 if wish.market == "spot" and wish.targets else 1 + len(wish.targets)
    return request.orders + following


@transaction.atomic
def _write(
    user: User,
    account: ExchangeAccount,
    key: str,
    digest: str,
    plan: Plan,
    request: requests.Request,
    client_id: str,
    judgements: list[Judgement],
) -> OrderIntent | None:
    """Key and intent together, or neither; None where the key is somebody else's by now."""
    named, is_new = Idempotency.objects.get_or_create(
        user=user, key=key, defaults={"digest": digest}
    )
    if not is_new:
        return None
    wish = plan.wanted
    if wish.market == "spot" or not wish.reduces:
        guarding.need_place(account, plan)
    intent = OrderIntent(
        user=user,
        account=account,
        idempotency=named,
        market=wish.market,
        symbol=wish.symbol,
        side=wish.side,
        client_id=client_id,
        body=wish.body,
        request=request.as_json(),
        plan=plan.frozen(),
        is_reduce_only=wish.market == "usdm" and wish.reduces,
        notional=plan.notional,
        risk=plan.risk,
        life=lives.now(),
    )
    intent.history = [intent.note(OrderIntent.State.WRITTEN, timezone.now(), "owner")]
    intent.save(force_insert=True)
    if judgements:
        guarding.keep_breaks(user, intent, judgements, wish.override)
    tell(intent)
    return intent
