"""Trying a history (money.md 8): through the same rows, books and ledger as an account's, in a
transaction that is rolled back."""

import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounts.models import ExchangeAccount, User
from journal.books.proof import Proof
from journal.models import LedgerProblem, Market, OpenPosition, Preferences, Trade
from journal.services.histories import BadCase, History, Json
from lib.decimals import plain

SHOWN_PLACES = Decimal(1).scaleb(-12)


class _Undo(Exception):
    pass


def try_case(case: Json, method: str) -> Json:
    """What the case comes to. Raises BadCase."""
    try:
        answer: Json = _tried(
            case, method, lambda account, tried: _answer(account, tried.proof(), tried)
        )
        return answer
    except (LookupError, AttributeError, TypeError, ValueError, InvalidOperation) as error:
        name = case.get("name", "?") if isinstance(case, dict) else "?"
        raise BadCase(f"case {name}: expected rows as in cases/history, was {error!r}") from error


def prove_case(case: Json, method: str, currency: str = "USD") -> tuple[Json, Proof]:
    """The answer, and the identity of the same history."""

    def both(account: ExchangeAccount, tried: "History") -> tuple[Json, Proof]:
        in_dollars = tried.proof()
        proof = in_dollars if currency == "USD" else tried.proof(currency)
        return _answer(account, in_dollars, tried), proof

    answers: tuple[Json, Proof] = _tried(case, method, both, currency)
    return answers


def _tried(
    case: Json,
    method: str,
    look: Callable[[ExchangeAccount, "History"], Any],
    currency: str = "USD",
) -> Any:
    answer: Any = None
    try:
        with transaction.atomic():
            account = account_to_try(method, currency)
            tried = History(account, case)
            tried.save()
            tried.build()
            answer = look(account, tried)
            raise _Undo
    except _Undo:
        return answer


def account_to_try(method: str, currency: str) -> ExchangeAccount:
    name = f"try-{uuid.uuid4().hex[:12]}"
    user = User.objects.create_user(name, f"{name}@invalid.example")
    user.report_currency = currency
    user.save(update_fields=["report_currency"])
    Preferences.objects.update_or_create(user=user, defaults={"method": method})
    return ExchangeAccount.objects.create(
        user=user,
        venue=settings.VENUE,
        label=name,
        key_kind="hmac",
        api_key=b"",
        api_secret=b"",
        kek_id=1,
        api_key_hash=name,
        last_four="",
    )


# --- the answer -----------------------------------------------------------------------------------


def _answer(account: ExchangeAccount, proof: Proof, tried: History) -> Json:
    trades = Trade.objects.filter(account=account, kind=Trade.Kind.TRADE, is_apart=False)
    closed = trades.filter(closed_at__isnull=False).annotate(last=Max("trade_fills__fill__time"))
    held = list(OpenPosition.objects.filter(account=account))
    problems = LedgerProblem.objects.filter(account=account).order_by("time", "pk")
    return {
        "name": tried.case.get("name", ""),
        "trades": [
            [t.direction, _text(t.entry_price), _text(t.exit_price), _text(t.net)]
            for t in closed.order_by("closed_at", "opened_at", "pk")
        ],
        "stack": {p.base: _text(p.stack_quantity) for p in held if p.stack_quantity},
        "open": {_name(p): _text(p.trade_quantity) for p in held if p.trade_quantity},
        "net": _text(proof.realised),
        "apart": _text(proof.apart),
        "tax_net": _text(proof.tax_realised),
        "unrealised": _text(proof.unrealised),
        "income": _text(proof.income),
        "problems": list(problems.values_list("kind", flat=True)),
    }


def _name(position: OpenPosition) -> str:
    if position.market == Market.SPOT:
        return position.base
    if position.position_side == "BOTH":
        return position.symbol
    return f"{position.symbol}:{position.position_side}"


def _text(value: Decimal | None) -> str:
    """At most twelve places: what is beyond them are a division's last digits."""
    return "" if value is None else plain(value.quantize(SHOWN_PLACES))
