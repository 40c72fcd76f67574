"""Which kinds of rows an account has at all. Most books need fills alone, and to ask for each of
ten other kinds takes longer than to add a fill up."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from journal.books import incomes
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

# What a conversion's transfers are called, and by which kind the ledger knows them.
HALVES = {
    Transfer.Kind.CONVERT: "convert",
    Transfer.Kind.DUST: "dust",
    Transfer.Kind.SWAP: "swap",
}


class Presence(NamedTuple):
    """What is False has no row. All from `by_hand` on are of a time; `converted` are the halves of
    conversions, be they told as transfers or as lines of income."""

    marks: bool = True
    splits: bool = True
    merges: bool = True
    swaps: bool = True
    stated: bool = True
    by_hand: bool = True
    transfers: bool = True
    incomes: bool = True
    openings: bool = True
    converted: bool = True


# Not looked at: anything may be there.
ANYTHING = Presence()


def presence_since(account_id: Any, since: datetime | None) -> Presence:
    """Of an account, after a moment; None: at any time."""
    later: dict[str, object] = {} if since is None else {"time > %s": since}
    halves = {"kind = ANY(%s)": sorted(HALVES), **later}
    lines = {"kind = ANY(%s)": sorted(incomes.CONVERSIONS), **later}
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
        (Transfer, halves),
        (Income, lines),
    ]
    parts, values = [], []
    for model, conditions in kinds:
        wanted = " AND ".join(["account_id = %s", *conditions])
        table = model._meta.db_table
        parts.append(f"EXISTS (SELECT 1 FROM {table} WHERE {wanted})")  # noqa: S608  (our own names)
        values += [account_id, *conditions.values()]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        *known, has_halves, has_lines = cursor.fetchone()
    return Presence._make([*known, has_halves or has_lines])
