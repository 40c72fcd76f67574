"""Changes under an Idempotency-Key: done once, and repeated as they ended. What is kept of them is
English; whoever asked first is told in their language."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils import timezone, translation

from accounts.models import ExchangeAccount, User
from market.binance.errors import ExchangeError, Refused
from trading.answers import order_of
from trading.changes import Change
from trading.errors import Conflict, OtherBody, TradingError
from trading.models import Idempotency, OrderIntent
from trading.models.intents import OVER, new_client_id
from trading.sentences import told as _
from trading.services import changing, guarding
from trading.services.cancelling import GONE, Target, out_of, target_of
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
            "not_there",
            _(
                "Expected an order that the exchange has, this one is %(state)s.",
                state=intent.state,
            ),
        )

    def work(client_id: str) -> dict[str, Any]:
        intent.refresh_from_db(from_queryset=OrderIntent.objects.select_related("account__user"))
        _need_risk(intent, wanted)
        target = target_of(intent)
        try:
            done = changing.change(intent.account, target, wanted, client_id, intent)
        except Conflict as error:
            if error.more.get("cancelled"):  # and nothing came in its place
                settle(intent.pk, intent.state, "owner", order=out_of(intent))
            raise
        settle(intent.pk, intent.state, "owner", order=done["order"])
        _grow_stops(intent, wanted)
        return {"id": str(intent.pk), **done}

    door = f"PATCH /api/orders/{intent.pk}"
    target = target_of(intent)
    return _once(user, key, door, body, intent.account, target, work, is_pair=intent.is_pair)


def _need_risk(intent: OrderIntent, wanted: Change) -> None:
    """Raises Forbidden: what puts more at stake than before is held by the cap on the risk."""
    before, after = risk_of(intent, Change()), risk_of(intent, wanted)
    if after is None or before is None or after <= before:
        return
    over = guarding.over_risk_cap(guarding.need_switch(intent.account, intent.market), after)
    if over is not None:
        raise over


def risk_of(intent: OrderIntent, wanted: Change) -> Decimal | None:
    """What an entry, or the stop of one, puts at stake once it is changed; None: no stop says."""
    if intent.is_entry and intent.plan.get("stop"):
        stop = wanted.stop_price or Decimal(intent.plan["stop"])
        entry = wanted.price or _amount(intent.order.get("price")) or _amount(intent.plan["entry"])
    elif intent.role == OrderIntent.Role.STOP and intent.parent and intent.parent.plan.get("entry"):
        entry = _amount(intent.parent.plan["entry"])
        stop = wanted.stop_price or _amount(intent.order.get("stop_price")) or Decimal(0)
    else:
        return None
    quantity = wanted.quantity or _amount(intent.order.get("quantity"))
    return abs(entry - stop) * quantity if entry and stop and quantity else None


def _amount(value: object) -> Decimal:
    return Decimal(str(value or 0))


def _grow_stops(intent: OrderIntent, wanted: Change) -> None:
    """A futures entry that has grown is protected as a whole. Raises Conflict."""
    grown = wanted.quantity
    if intent.market != "usdm" or grown is None or not intent.is_entry:
        return
    stops = intent.legs.filter(role=OrderIntent.Role.STOP, state=OrderIntent.State.ACCEPTED)
    for stop in stops.exclude(order__status__in=list(OVER)).select_related("account__user"):
        if _amount(stop.order.get("quantity")) >= grown:
            continue
        try:
            done = changing.change(
                stop.account, target_of(stop), Change(quantity=grown), new_client_id("r")
            )
        except TradingError as error:
            raise Conflict(
                "half_done",
                _(
                    "The entry is changed, its stop still protects the old quantity: %(error)s",
                    error=error,
                ),
                stop=str(stop.pk),
            ) from error
        settle(stop.pk, stop.state, "owner", order=done["order"])


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
    if answer is not None and not (answer.status == 202 and _take_over(named)):
        return answer
    try:
        with translation.override("en"):
            return _kept(named, 200, work())
    except TradingError:  # it may be asked for again at once
        Idempotency.objects.filter(pk=named.pk, status=None).delete()
        raise


def _once(
    user: User,
    key: str | None,
    door: str,
    body: Any,
    account: ExchangeAccount,
    target: Target,
    work: Callable[[str], dict[str, Any]],
    *,
    is_pair: bool = False,
) -> Answer:
    client_id = new_client_id("r")
    if key is None:
        return Answer(200, work(client_id))
    named, answer = _named(user, checked_key(key), digest_of(door, body), {"client_id": client_id})
    if answer is not None:
        is_left = answer.status == 202 and _age(named) > GONE_SECONDS
        return _found_out(named, account, target, is_pair=is_pair) if is_left else answer
    try:
        return _kept(named, 200, work(client_id))
    except TradingError as error:
        if error.status in {400, 403, 404, 429, 503}:  # nothing was sent: the key is unused
            named.delete()
            raise
        if error.code == "unknown":  # whoever asks again is told what became of it
            raise
        return _refused(named, error)


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
        raise OtherBody("other_body", _("This Idempotency-Key was used for something else."))
    if named.status is None:
        return named, Answer(202, {"state": "under_way"})
    return named, Answer(named.status, named.answer)


def _take_over(named: Idempotency) -> bool:
    """Whoever began it is gone, and the caller is the only one who goes on with it."""
    if _age(named) <= GONE_SECONDS:
        return False
    mine = Idempotency.objects.filter(pk=named.pk, status=None, made_at=named.made_at)
    return bool(mine.update(made_at=timezone.now()))


def _found_out(
    named: Idempotency, account: ExchangeAccount, target: Target, *, is_pair: bool
) -> Answer:
    """Whoever made the change is gone: what the exchange has tells how far it came."""
    client_id = str(named.answer.get("client_id", ""))
    if is_pair:  # a list of two is known by its orders
        client_id += "a"
    new = Target(target.market, target.symbol, client_id=client_id, is_algo=target.is_algo)
    try:
        old_order, new_order = _look(account, target), _look(account, new)
    except ExchangeError:
        return Answer(202, {"state": "under_way"})
    if new_order is not None:
        return _kept(named, 200, {"result": "replaced", "order": new_order, "old": old_order})
    left = Conflict(
        "interrupted",
        _("Whoever made this change is gone; this is the order as it stands, nothing replaced it."),
        order=old_order,
    )
    return _refused(named, left)


def _look(account: ExchangeAccount, target: Target) -> dict[str, Any] | None:
    """Raises ExchangeError."""
    try:
        answer = desk.run(account, lambda rest: rest.look(target.path, target.params))
    except Refused as error:
        if error.code in GONE:
            return None
        raise
    return order_of(answer, "")


def _refused(named: Idempotency, error: TradingError) -> Answer:
    with translation.override("en"):
        _kept(named, error.status, error.as_json())
    return Answer(error.status, error.as_json())


def _kept(named: Idempotency, status: int, body: dict[str, Any]) -> Answer:
    Idempotency.objects.filter(pk=named.pk).update(status=status, answer=body)
    return Answer(status, body)


def _age(named: Idempotency) -> float:
    return (timezone.now() - named.made_at).total_seconds()
