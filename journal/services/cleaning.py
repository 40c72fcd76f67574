"""What hangs on an account that is gone, and is not in its tables: notes and pictures."""

import uuid
from typing import Any

from django.db.models import CharField, F, Func, QuerySet, Value

from accounts.models import ExchangeAccount
from journal.models import Annotation, Screenshot


def forget_orphans() -> int:
    """Notes and pictures of trades whose account was deleted with its data. Returns how many."""
    known = {str(pk) for pk in ExchangeAccount.objects.values_list("pk", flat=True)}
    count = 0
    for rows in (Annotation.objects.all(), Screenshot.objects.all()):
        named = _with_account(rows)
        names = set(named.order_by().values_list("account_name", flat=True).distinct())
        gone = [name for name in names - known if _is_account(name)]
        count += named.filter(account_name__in=gone).delete()[0]
    return count


def _with_account(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """A trade's key begins with its account's id (journal.ledger)."""
    first = Func(
        F("trade_key"), Value(":"), Value(1), function="split_part", output_field=CharField()
    )
    named: QuerySet[Any] = rows.annotate(account_name=first)
    return named


def _is_account(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True
