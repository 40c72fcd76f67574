"""What an event does to one coin: something comes in, or goes out. And in which order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from journal.ledger.records import ONE, ZERO, Fill, Id, Match, Payment, Problem

# Of one instant: settlements, what comes in, conversions, fills, what goes out.
SETTLEMENT, COMING_IN, CONVERSION, FILL, GOING_OUT = range(5)
Rank = tuple[Any, int, str, tuple[int, int | str], int]


class Move(NamedTuple):
    """One coin comes in (`quantity` > 0) or goes out (< 0).

    `kind` in: bought, received, converted, dusted, deposited, income, opening, rebate, swapped;
    out: sold, spent, converted, dusted, fee, paid, withdrawn, swapped. `worth` is that of the whole
    quantity in dollars, None where nobody knows; `fee` the fee of the lot or of the exit. `order`
    groups what one order did. `unit` is dollars of one quote of the symbol, for its rules."""

    rank: Rank
    time: Any
    coin: str
    kind: str
    quantity: Decimal
    worth: Decimal | None
    id: Id
    fee: Decimal = ZERO
    symbol: str = ""
    order: tuple[Any, ...] = ()
    unit: Decimal = ONE
    # the new name of a swapped coin
    partner: str = ""


@dataclass
class Effects:
    """What one event does: to coins, and to money. `legs` are of currencies: (asset, quantity,
    the dollars that it was booked at), both signed."""

    moves: list[Move] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    legs: list[tuple[str, Decimal, Decimal]] = field(default_factory=list)


def number_of(id: Id) -> tuple[int, int | str]:
    """Ids of digits sort as numbers, negative ones too."""
    text = str(id)
    digits = text[1:] if text[:1] == "-" else text
    return (0, int(text)) if digits.isdecimal() else (1, text)


def order_of(fill: Fill) -> tuple[Any, ...]:
    """What groups the fills of one order: its id, else the symbol's minute."""
    if fill.order_id is not None:
        return (fill.symbol, "order", fill.order_id)
    minute = fill.time.replace(second=0, microsecond=0) if hasattr(fill.time, "replace") else None
    return (fill.symbol, "minute", fill.time if minute is None else minute)


def in_order(moves: Iterable[Move]) -> Iterator[Move]:
    """Of one coin. Between the pairs of one instant the one that brings the coin comes first."""
    ordered = sorted(moves, key=lambda move: move.rank)
    start = 0
    while start < len(ordered):
        end = start + 1
        while end < len(ordered) and ordered[end].rank[:2] == ordered[start].rank[:2]:
            end += 1
        same = ordered[start:end]
        if len(same) > 1 and same[0].rank[1] == FILL:
            bringing: dict[str, bool] = {}
            for move in same:
                bringing.setdefault(move.symbol, move.quantity > 0)
            same.sort(key=lambda move: (not bringing[move.symbol], move.rank))
        yield from same
        start = end
