"""From a written intent to an answer: claimed once, sent once, and what came of it kept, in English
whoever asked for it."""

import os
import socket
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from accounts.vault.keyfiles import KeyProblem
from lib.envelope import NotOurs
from market.binance.errors import BadKey, ExchangeError, MustWait, Refused, UnknownOutcome
from market.binance.ordering import NeverLeft, OrderRest
from trading.answers import order_of
from trading.models import OrderIntent, TradingSwitch
from trading.models.intents import SENT_WITHIN
from trading.services import lives
from trading.services.desk import desk
from trading.services.settling import settle, tell

log = structlog.get_logger(__name__)

State = OrderIntent.State


def send(intent_id: UUID, by: str) -> OrderIntent:
    """Whoever comes first sends; everybody else gets the row as it stands. Whatever happens, it
    says what is known: nothing here is tried again."""
    with translation.override("en"):  # no decorator: one for all threads forgets whose language
        return _send(intent_id, by)


def _send(intent_id: UUID, by: str) -> OrderIntent:
    intent = OrderIntent.objects.select_related("account").get(pk=intent_id)
    if intent.state != State.WRITTEN:
        return intent
    path = str(intent.request["path"])
    try:
        timestamp_ms = desk.run(
            intent.account, lambda rest: rest.make_room(path, is_urgent=intent.is_protective)
        )
    except (ExchangeError, KeyProblem, NotOurs) as error:
        return _not_sent(intent, error, by)
    if not claim(intent_id, timestamp_ms, by):
        return OrderIntent.objects.get(pk=intent_id)
    settled = _sent(intent, timestamp_ms, by)
    for leg in settled.legs.filter(state=State.WRITTEN):
        _send(leg.pk, by)
    return settled


def claim(intent_id: UUID, timestamp_ms: int, by: str) -> bool:
    """Whether the caller has to send it now: it is the only one, it is in time, this is still the
    database that it was written in, and its account may trade. Committed before a byte leaves."""
    with transaction.atomic():
        row = OrderIntent.objects.select_for_update(of=("self",)).get(pk=intent_id)
        if row.state != State.WRITTEN:
            return False
        refusal = why_never(row)
        if refusal is not None:
            settle(row.pk, refusal[0], by, code=refusal[1], detail=refusal[2])
            return False
        now = timezone.now()
        row.state, row.timestamp_ms, row.claimed_by = State.SENT, timestamp_ms, holder()
        row.history = [*row.history, row.note(State.SENT, now, by)]
        row.changed_at = now
        row.save(update_fields=["state", "timestamp_ms", "claimed_by", "history", "changed_at"])
        tell(row)
    return True


def why_never(row: OrderIntent) -> tuple[str, str, str] | None:
    """(state, code, sentence) for what must not be sent any more; None: it may go."""
    if row.life != lives.now():
        return (
            State.EXPIRED,
            "restored",
            gettext_noop("Made before this database was restored: never sent."),
        )
    if age_seconds(row) > SENT_WITHIN.total_seconds():
        return (
            State.EXPIRED,
            "too_late",
            gettext_noop("Not sent within ten seconds of its making: never sent."),
        )
    if row.is_unwanted:
        return (
            State.EXPIRED,
            "cancelled",
            gettext_noop("Taken back before it was sent: never sent."),
        )
    if row.is_reduce_only:
        return None
    if not TradingSwitch.objects.on(timezone.now()).filter(account=row.account_id).exists():
        return (
            State.EXPIRED,
            "trading_off",
            gettext_noop("Trading was switched off before it was sent."),
        )
    return None


def age_seconds(row: OrderIntent) -> float:
    """By the clock of the database that wrote it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - %s)", [row.made_at])
        found = cursor.fetchone()
    assert found is not None
    return float(found[0])


def holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:80]


def _sent(intent: OrderIntent, timestamp_ms: int, by: str) -> OrderIntent:
    request = intent.request

    async def call(rest: OrderRest) -> Any:
        return await rest.send(request["method"], request["path"], request["params"], timestamp_ms)

    try:
        answer = desk.run(intent.account, call)
        order = order_of(answer, intent.client_id) if isinstance(answer, dict) else {}
    except NeverLeft as error:
        return settle(
            intent.pk,
            State.REFUSED,
            by,
            code="unreachable",
            detail=f"The exchange could not be reached; nothing was sent. {error}",
        )
    except UnknownOutcome as error:
        return settle(intent.pk, State.UNKNOWN, by, detail=str(error))
    except Refused as error:
        return settle(intent.pk, State.REFUSED, by, code=str(error.code), detail=str(error))
    except (ExchangeError, KeyProblem, NotOurs) as error:
        # nobody knows how far it came: it is looked for
        log.warning("order outcome unclear", intent=str(intent.pk), error=type(error).__name__)
        return settle(intent.pk, State.UNKNOWN, by, detail=str(error))
    return settle(intent.pk, State.ACCEPTED, by, order=order)


def _not_sent(intent: OrderIntent, error: Exception, by: str) -> OrderIntent:
    """Before the claim: nothing has left. What a moment may mend stays written, and goes within its
    ten seconds or never."""
    if isinstance(error, BadKey):
        return settle(
            intent.pk, State.REFUSED, by, code=str(error.code), detail=str(error), unsent=True
        )
    if isinstance(error, KeyProblem | NotOurs):
        return settle(
            intent.pk,
            State.REFUSED,
            by,
            code="sealed",
            detail=gettext_noop("The key cannot be opened on this server; nothing was sent."),
            unsent=True,
        )
    detail = str(error) if isinstance(error, MustWait) else f"{type(error).__name__}: {error}"
    log.warning("order not sent yet", intent=str(intent.pk), why=detail[:200])
    return intent
