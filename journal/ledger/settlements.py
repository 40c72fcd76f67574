"""Which open side a settlement belongs to (money.md 5.1).

At one rate one side pays what the other receives; the exchange's rows name no side.
"""

from collections.abc import Sequence
from decimal import Decimal

from journal.ledger.records import ZERO, Funding

# (position side, signed quantity)
Side = tuple[str, Decimal]
# a row, the index of the side that it (or a part of it) belongs to, None for nobody, the amount
Share = tuple[Funding, int | None, Decimal]


def shares_of(rows: Sequence[Funding], held: Sequence[Side]) -> list[Share]:
    """`rows` are of one settlement, `held` what was open then."""
    if not held:
        return [(row, None, row.amount) for row in rows]
    named = [row for row in rows if row.position_side != "BOTH"]
    shares: list[Share] = []
    for row in named:
        index = next((n for n, side in enumerate(held) if side[0] == row.position_side), None)
        shares.append((row, index, row.amount))
    unnamed = [row for row in rows if row.position_side == "BOTH"]
    if not unnamed:
        return shares
    if len(held) == 1:
        return shares + [(row, 0, row.amount) for row in unnamed]
    if len(unnamed) == 1:
        return shares + _by_signed_size(unnamed[0], held)
    return shares + _by_sign(unnamed, held)


def _by_signed_size(row: Funding, held: Sequence[Side]) -> list[Share]:
    """One row for both sides."""
    sizes = [quantity for _, quantity in held]
    whole = sum(sizes, ZERO)
    if not whole:
        sizes = [abs(size) for size in sizes]
        whole = sum(sizes, ZERO)
    shares: list[Share] = []
    left = row.amount
    for index, size in enumerate(sizes[:-1]):
        part = row.amount * size / whole
        left -= part
        shares.append((row, index, part))
    return [*shares, (row, len(sizes) - 1, left)]


def _by_sign(rows: Sequence[Funding], held: Sequence[Side]) -> list[Share]:
    """A row for each side: the sign of the rate says which; without a rate the larger row goes to
    the larger side."""
    longs = [n for n, (_, quantity) in enumerate(held) if quantity > 0]
    shorts = [n for n, (_, quantity) in enumerate(held) if quantity < 0]
    if not longs or not shorts:
        return [(row, index % len(held), row.amount) for index, row in enumerate(rows)]
    rate = next((row.rate for row in rows if row.rate), None)
    if rate is not None:
        payer, receiver = (longs[0], shorts[0]) if rate > 0 else (shorts[0], longs[0])
        return [(row, payer if row.amount < 0 else receiver, row.amount) for row in rows]
    by_size = sorted((longs[0], shorts[0]), key=lambda n: abs(held[n][1]), reverse=True)
    if abs(held[longs[0]][1]) == abs(held[shorts[0]][1]):  # the usual rate is above 0
        return [(row, longs[0] if row.amount < 0 else shorts[0], row.amount) for row in rows]
    by_amount = sorted(rows, key=lambda row: abs(row.amount), reverse=True)
    larger = by_amount[0]
    other_sign = {larger.amount > 0: by_size[0], larger.amount <= 0: by_size[1]}
    return [(row, other_sign[row.amount > 0], row.amount) for row in rows]
