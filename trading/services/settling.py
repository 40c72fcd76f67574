"""How an intent's state moves: only forward, whoever tells it, in one place."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from journal import live
from trading import events
from trading.answers import row_of
from trading.models import OrderIntent
from trading.models.intents import OVER
from trading.services import following

State = OrderIntent.State
# What says more than what. That an order is there outweighs every guess that it is not.
RANK = {
    State.WRITTEN: 0,
    State.SENT: 1,
    State.UNKNOWN: 2,
    State.EXPIRED: 3,
    State.REFUSED: 3,
    State.ACCEPTED: 4,
}


@transaction.atomic
def settle(
    intent_id: UUID,
    state: str,
    by: str,
    *,
    code: str = "",
    detail: str = "",
    order: dict[str, Any] | None = None,
    unsent: bool = False,
) -> OrderIntent:
    """The row as it stands after this was told. An acceptance makes the stops and targets that
    follow it in the same transaction; `order` is kept when it is newer than what is known.
    `unsent`: the news is that nothing was sent, so it moves no row that somebody has claimed since
    (an expiry never does)."""
    row = OrderIntent.objects.select_for_update(of=("self",)).get(pk=intent_id)
    is_claimed = row.state != State.WRITTEN
    if is_claimed and (unsent or state == State.EXPIRED):
        return row
    fields: list[str] = []
    if order and is_newer(order, row.order):
        row.order = {**row.order, **order}
        fields.append("order")
    if RANK[State(state)] > RANK[State(row.state)]:
        _move(row, state, by, code, detail)
        fields += ["state", "code", "detail", "history", "changed_at", "look_at"]
        is_missing = state in {State.REFUSED, State.EXPIRED} and not row.is_unwanted
        if is_missing and row.parent_id is not None:
            _tell_naked(row)
    if fields and row.state == State.ACCEPTED:
        following.follow(row)
    if fields:
        row.save(update_fields=fields)
        tell(row)
    return row


def is_newer(news: dict[str, Any], known: dict[str, Any]) -> bool:
    """By the exchange's time of the change; of two of one moment the one that ended."""
    is_same = news.get("client_id", known.get("client_id")) == known.get("client_id")
    if is_same and known.get("status") in OVER and news.get("status") not in OVER:
        return False
    before, after = int(known.get("changed") or 0), int(news.get("changed") or 0)
    if after != before:
        return after > before
    return news != known


def tell(row: OrderIntent) -> None:
    """The owner's pages, when the transaction is there."""
    shown = row_of(row)
    now_ms = int(timezone.now().timestamp() * 1000)
    user_id, slot = row.user_id, f"intent:{row.pk}"
    transaction.on_commit(
        lambda: live.tell(user_id, "intents", slot, now_ms, {"kind": "intent", **shown})
    )


def _move(row: OrderIntent, state: str, by: str, code: str, detail: str) -> None:
    now = timezone.now()
    row.state, row.code, row.detail = state, code[:40], detail[:300]
    row.history = [*row.history, row.note(state, now, by, detail or code)]
    row.changed_at = now
    # of a restored database it may have been sent before: that is looked up, too
    row.look_at = now if state == State.UNKNOWN or code == "restored" else None


def _tell_naked(row: OrderIntent) -> None:
    """A stop that is not there: its owner has to know at once."""
    if row.role != OrderIntent.Role.STOP:
        return
    text = f"{row.symbol}: the stop was not placed ({row.detail or row.code})."
    data = {"intent": str(row.parent_id), "leg": str(row.pk), "symbol": row.symbol}
    events.tell(
        events.TradingEvent(
            "naked", row.user_id, str(row.account_id), f"naked:{row.pk}", text, data
        )
    )
    user_id, now_ms = row.user_id, int(timezone.now().timestamp() * 1000)
    told = {"kind": "naked", "text": text, "market": row.market, **data}
    slot = f"naked:{row.parent_id}"
    transaction.on_commit(lambda: live.tell(user_id, "intents", slot, now_ms, told))
