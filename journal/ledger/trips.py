"""What a trade is while it is put together: its matches, and their totals as they grow."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from journal.ledger.records import ZERO, Id, Match, Past


@dataclass
class Trip:
    """`matches` and `fills` are those of this run, `past` those of before; the totals are of both,
    added in one order, so that it does not matter where a run began."""

    key: str
    opened_at: Any
    past: Past = Past()
    matches: list[Match] = field(default_factory=list)
    fills: dict[tuple[str, Id], None] = field(default_factory=dict)
    entry_quantity: Decimal = ZERO
    entry_value: Decimal = ZERO
    matched: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    cost: Decimal = ZERO
    out: Decimal = ZERO
    apart: Decimal = ZERO
    closed_at: Any = None
    ended_by: str = ""

    def add(self, match: Match, out: Decimal = ZERO) -> None:
        """`out`: what a contract's part left at, in the asset that it settles in."""
        self.matches.append(match)
        self.matched += match.quantity
        self.gross += match.gross
        self.fees += match.fees
        self.cost += match.entry_price * match.quantity
        self.out += out
        self.apart += match.apart * match.quantity

    @property
    def pairs(self) -> tuple[str, ...]:
        own = (symbol for symbol, _ in self.fills if symbol)
        return tuple(dict.fromkeys((*self.past.pairs, *own)))

    def as_past(self) -> Past:
        """All that it has now, as the past of a later run."""
        return Past(
            self.past.matches + len(self.matches),
            self.past.fills + len(self.fills),
            self.matched,
            self.gross,
            self.fees,
            self.cost,
            self.out,
            self.apart,
            self.pairs,
        )

    def take_up(self, past: Past) -> None:
        """Go on from there."""
        self.past = past
        self.matched, self.gross, self.fees = past.quantity, past.gross, past.fees
        self.cost, self.out, self.apart = past.cost, past.out, past.apart
