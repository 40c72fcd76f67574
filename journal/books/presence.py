"""Which kinds of rows an account has at all. A book that goes on from a checkpoint mostly needs
fills alone, and to ask for each of nine other kinds takes longer than to add a fill up."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from journal.models import (
    FillMark,
    Income,
    ManualFill,
    OpeningBalance,
    StatedCost,
    TradeMerge,
    TradeSplit,
    Transfer,
)


class Presence(NamedTuple):
    """What is False has no row. `by_hand`, `transfers`, `incomes` and `openings` are of a time."""

    marks: bool = True
    splits: bool = True
    merges: bool = True
    swaps: bool = True
    stated: bool = True
    by_hand: bool = True
    transfers: bool = True
    incomes: bool = True
    openings: bool = True


# Not looked at: anything may be there.
ANYTHING = Presence()


def presence_since(account_id: Any, since: datetime) -> Presence:
    """Of an account, after a moment."""
    later: dict[str, object] = {"time > %s": since}
    kinds: list[tuple[Any, dict[str, object]]] = [
        (FillMark, {}),
        (TradeSplit, {}),
        (TradeMerge, {}),
        (Transfer, {"kind = %s": Transfer.Kind.SWAP}),
        (StatedCost, {}),
        (ManualFill, later),
        (Transfer, later),
        (Income, later),
        (OpeningBalance, later),
    ]
    parts, values = [], []
    for model, conditions in kinds:
        wanted = " AND ".join(["account_id = %s", *conditions])
        table = model._meta.db_table
        parts.append(f"EXISTS (SELECT 1 FROM {table} WHERE {wanted})")  # noqa: S608  (our own names)
        values += [account_id, *conditions.values()]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return Presence(*cursor.fetchone())
