"""Changes under an Idempotency-Key: done once, and repeated as they ended."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from accounts.models import ExchangeAccount, User
from market.binance.errors import ExchangeError, Refused
from trading.answers import order_of
from trading.errors import Conflict, OtherBody, TradingError
from trading.models import Idempotency, OrderIntent
from trading.models.intents import new_client_id
from trading.services import changing
from trading.services.cancelling import GONE, Target, target_of
from trading.services.changing import Change
from trading.services.desk import desk
from trading.services.placing import Answer, checked_key, digest_of, known_of
from trading.services.settling import settle

# A change that has not ended after so long was left by a process that is gone.
GONE_SECONDS = 30.0


def change_intent(
    *, user: User, key: str | None, intent: OrderIntent, wanted: Change, body: Any
) -> Answer:
    """Raises TradingError."""
    if intent.state != OrderIntent.State.ACCEPTED:
        raise Conflict(
            "not_there", f"Expected an order that the exchange has, this one is {intent.state}."
        )

    def work(client_id: str) -> dict[str, Any]:
        done = changing.change(intent.account, target_of(intent), wanted, client_id)
        settle(intent.pk, intent.state, "owner", order=done["order"])
        return {"id": str(intent.pk), **done}

    return _once(
        user, key, f"PATCH /api/orders/{intent.pk}", body, intent.account, target_of(intent), work
    )


def change_elsewhere(
    *,
    user: User,
    key: str | None,
    account: ExchangeAccount,
    target: Target,
    wanted: Change,
    body: Any,
) -> Answer:
    """Raises TradingError."""
    door = f"PATCH /api/orders/exchange {account.pk} {target.as_json()}"

    def work(client_id: str) -> dict[str, Any]:
        return changing.change(account, target, wanted, client_id)

    return _once(user, key, door, body, account, target, work)


def once(
    *, user: User, key: str | None, door: str, body: Any, work: Callable[[], dict[str, Any]]
) -> Answer:
    """For what may be done again without harm (a stop): the key only spares the repetition."""
    if key is None:
        return Answer(200, work())
    named, answer = _named(user, checked_key(key), digest_of(door, body), {})
    if answer is not None:
        return answer
    return _kept(named, 200, work())


def _once(
    user: User,
    key: str | None,
    door: str,
    body: Any,
    account: ExchangeAccount,
    target: Target,
    work: Callable[[str], dict[str, Any]],
) -> Answer:
    client_id = new_client_id("r")
    if key is None:
        return Answer(200, work(client_id))
    named, answer = _named(user, checked_key(key), digest_of(door, body), {"client_id": client_id})
    if answer is not None:
        is_left = answer.status == 202 and _age(named) > GONE_SECONDS
        return _found_out(named, account, target) if is_left else answer
    try:
        return _kept(named, 200, work(client_id))
    except TradingError as error:
        if error.status in {400, 403, 404, 429, 503}:  # nothing was sent: the key is unused
            named.delete()
            raise
        return _kept(named, error.status, error.as_json())


def _named(
    user: User, key: str, digest: str, began: dict[str, Any]
) -> tuple[Idempotency, Answer | None]:
    """The key's row, and the answer where it was used. Raises OtherBody."""
    known_of(user, key, digest)
    named, is_new = Idempotency.objects.get_or_create(
        user=user, key=key, defaults={"digest": digest, "answer": began}
    )
    if is_new:
        return named, None
    if named.digest != digest:
        raise OtherBody("other_body", "This Idempotency-Key was used for something else.")
    if named.status is None:
        return named, Answer(202, {"state": "under_way"})
    return named, Answer(named.status, named.answer)


def _found_out(named: Idempotency, account: ExchangeAccount, target: Target) -> Answer:
    """Whoever made the change is gone: what the exchange has tells how far it came."""
    client_id = str(named.answer.get("client_id", ""))
    new = Target(target.market, target.symbol, client_id=client_id, is_algo=target.is_algo)
    try:
        old_order, new_order = _look(account, target), _look(account, new)
    except ExchangeError:
        return Answer(202, {"state": "under_way"})
    if new_order is not None:
        return _kept(named, 200, {"result": "replaced", "order": new_order, "old": old_order})
    detail = (
        "Whoever made this change is gone; this is the order as it stands, nothing replaced it."
    )
    return _kept(named, 409, {"code": "interrupted", "detail": detail, "order": old_order})


def _look(account: ExchangeAccount, target: Target) -> dict[str, Any] | None:
    """Raises ExchangeError."""
    try:
        answer = desk.run(account, lambda rest: rest.look(target.path, target.params))
    except Refused as error:
        if error.code in GONE:
            return None
        raise
    return order_of(answer, "")


def _kept(named: Idempotency, status: int, body: dict[str, Any]) -> Answer:
    Idempotency.objects.filter(pk=named.pk).update(status=status, answer=body)
    return Answer(status, body)


def _age(named: Idempotency) -> float:
    return (timezone.now() - named.made_at).total_seconds()
