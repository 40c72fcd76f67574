"""What the rows of a trade come to, match by match: a run that goes on from a checkpoint adds to
what the checkpoint carried."""

import hashlib
from collections.abc import Iterable, Sequence
from copy import copy
from decimal import Decimal

import msgspec

from journal.models import Fill, Realized

ZERO = Decimal(0)
DIGEST_RANGE = 1 << 128


class Totals(msgspec.Struct):
    """Of one trade's rows: sums as they are kept, to 18 places. Money is None once a part of it is
    not known."""

    matches: int = 0
    fills: int = 0
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    gross_money: Decimal | None = ZERO
    fees_money: Decimal | None = ZERO
    net_money: Decimal | None = ZERO
    # of the exchange's fills of its own coin or contract
    own_fills: int = 0
    quantity: Decimal = ZERO
    made: Decimal = ZERO
    # what the exchange booked for those that close
    realized: Decimal = ZERO
    digest: str = "0"
    quote_rate: Decimal | None = None

    def add_match(self, row: Realized) -> None:
        self.matches += 1
        self.gross += row.gross
        self.fees += row.fees
        self.gross_money = plus(self.gross_money, row.gross_money)
        self.fees_money = plus(self.fees_money, row.fees_money)
        self.net_money = plus(self.net_money, row.net_money)
        self.digest = format((int(self.digest, 16) + digest_of(row)) % DIGEST_RANGE, "x")

    def add_fill(self, fill: Fill | None, base: str, closing: str) -> None:
        """None for what is no fill of the exchange's."""
        self.fills += 1
        if fill is None:
            return
        if fill.side == closing and fill.realized is not None:
            self.realized += fill.realized
        if fill.base != base:
            return  # of another pair, on which it was spent or paid a fee
        self.own_fills += 1
        self.quantity += fill.quantity
        if fill.is_maker:
            self.made += fill.quantity

    @property
    def maker_share(self) -> Decimal:
        return (self.made / self.quantity).quantize(Decimal("0.000001")) if self.quantity else ZERO


class Carried(msgspec.Struct):
    """Trade's key -> its totals, and the assets of the pairs that go on; `differs`: the tax view's
    matches are not those of the trades."""

    totals: dict[str, Totals]
    assets: dict[str, tuple[str, str]]
    differs: bool


def plus(amount: Decimal | None, more: Decimal | None) -> Decimal | None:
    return None if amount is None or more is None else amount + more


def digest_of(row: Realized) -> int:
    text = (
        f"{row.view} {row.kind} {row.opened_by} {row.closed_by} {row.quantity} {row.gross} "
        f"{row.fees} {row.apart} {row.net_money} {row.closed_at:%s}"
    )
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])


def grown(
    before: Totals,
    matches: Sequence[Realized],
    fills: Sequence[Fill | None],
    base: str,
    closing: str,
    stops: Iterable[tuple[int, int]] = (),
) -> tuple[Totals, dict[tuple[int, int], Totals]]:
    """The totals with all of them; and as they stood where (matches, fills), counted from the
    trade's beginning, were in."""
    totals = copy(before)
    stood: dict[tuple[int, int], Totals] = {}
    for stop in sorted({*stops, (before.matches + len(matches), before.fills + len(fills))}):
        until_match, until_fill = stop
        for row in matches[totals.matches - before.matches : until_match - before.matches]:
            totals.add_match(row)
        for fill in fills[totals.fills - before.fills : until_fill - before.fills]:
            totals.add_fill(fill, base, closing)
        stood[stop] = copy(totals)
    return totals, stood
