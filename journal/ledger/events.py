"""What moved an account, one event at a time: what makes it the same one, and in which order."""

from decimal import Decimal
from typing import Any

from journal.ledger.contracts import settled_at
from journal.ledger.moves import number_of
from journal.ledger.records import Conversion, Fill, Funding, Transfer

Event = Fill | Funding | Transfer | Conversion


def is_of_contract(event: Event) -> bool:
    return isinstance(event, Funding) or (isinstance(event, Fill) and event.market != "spot")


def settles_with(first: Funding, other: Event) -> bool:
    """Whether both are rows of one settlement."""
    return (
        isinstance(other, Funding)
        and (other.symbol, other.account, other.kind) == (first.symbol, first.account, first.kind)
        and settled_at(other) == settled_at(first)
    )


def rank_of(event: Event) -> tuple[Any, ...]:
    """Settlements, what comes in, conversions, fills, what goes out; ids of digits as numbers."""
    number = number_of(event.id)
    if isinstance(event, Funding):
        return (settled_at(event), 0, event.symbol, event.account, event.kind, number)
    if isinstance(event, Transfer):
        return (event.time, 1 if event.quantity > 0 else 4, "", event.account, "", number)
    if isinstance(event, Conversion):
        return (event.time, 2, "", event.account, "", number)
    return (event.time, 3, event.symbol, event.account, event.market, number)


def name_of(event: Event) -> tuple[Any, ...]:
    """What makes an event the same one: a fill's position side is not part of it."""
    if isinstance(event, Fill):
        return ("fill", event.account, event.market, event.symbol, str(event.id))
    if isinstance(event, Funding):
        side = event.position_side
        return ("funding", event.account, event.kind, event.asset, str(event.id), side)
    if isinstance(event, Transfer):
        return ("transfer", event.account, event.kind, event.asset, str(event.id))
    return ("conversion", event.account, event.kind, event.given, str(event.id))


def quantity_of(event: Event) -> Decimal:
    if isinstance(event, Funding):
        return event.amount
    if isinstance(event, Conversion):
        return event.given_quantity
    return event.quantity


def with_amount(row: Funding, amount: Decimal) -> Funding:
    if amount == row.amount:
        return row
    return Funding(
        row.id,
        row.time,
        row.symbol,
        amount,
        row.asset,
        row.account,
        row.position_side,
        row.kind,
        row.rate,
    )
