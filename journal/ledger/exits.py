"""What leaves a coin's lots: the matches of an exit, and lots that go on under another name."""

from collections.abc import Iterable
from decimal import Decimal

from journal.ledger.lots import Lot, Lots, Taken
from journal.ledger.moves import Move
from journal.ledger.records import Id, Match

# (old coin, id of the swap) -> lots on their way to the new name, of each store
Carriage = dict[tuple[str, Id], list[list[Lot]]]


class Exit:
    """Shares the worth and the fee of one exit among its parts; the last one takes the rest."""

    def __init__(self, move: Move, quantity: Decimal, worth: Decimal) -> None:
        self._move = move
        self._quantity = quantity
        self._left = [quantity, worth, move.fee]

    def matches(self, parts: Iterable[Taken]) -> list[Match]:
        return [self._match(part) for part in parts]

    def _match(self, part: Taken) -> Match:
        move, (quantity, worth, fee) = self._move, self._left
        is_last = part.quantity == quantity
        part_worth = worth if is_last else worth * part.quantity / quantity
        part_fee = fee if is_last or not fee else fee * part.quantity / quantity
        self._left = [quantity - part.quantity, worth - part_worth, fee - part_fee]
        gross, fees = part_worth - part.cost, part.fee + part_fee
        return Match(
            part.id,
            move.id,
            part.quantity,
            part.cost / part.quantity,
            part_worth / part.quantity,
            gross,
            fees,
            gross - fees,
            move.kind,
            move.time,
            part.opened_at,
            move.coin,
            move.symbol,
            part.apart,
        )


def leave(lots: Lots, quantity: Decimal) -> list[Lot]:
    """Lots that leave with cost, date and fee, oldest first."""
    everything = sorted(lots.take_all(), key=lambda lot: lot.place)
    leaving: list[Lot] = []
    for lot in everything:
        size = min(lot.quantity, quantity)
        quantity -= size
        if size == lot.quantity:
            leaving.append(lot)
            continue
        if size:
            cost, fee = lot.cost * size / lot.quantity, lot.fee * size / lot.quantity
            leaving.append(Lot(lot.id, lot.place, size, cost, fee, lot.apart))
            lot = Lot(
                lot.id, lot.place, lot.quantity - size, lot.cost - cost, lot.fee - fee, lot.apart
            )
        lots.add(lot)
    return leaving
