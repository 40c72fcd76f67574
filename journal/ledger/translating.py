"""Fills, conversions and transfers as what they do to each coin, and to money.

Both sides of one event have one worth (money.md 1.3), so the books of two coins never need each
other. Cash has no lots: what happens between two kinds of cash is a match at once, the rest is a
payment.
"""

from journal.ledger.converting import ConversionTranslator
from journal.ledger.filling import FillTranslator
from journal.ledger.moves import COMING_IN, GOING_OUT, Effects, Move, Rank, number_of
from journal.ledger.records import ZERO, Payment, Transfer


class Translator(FillTranslator, ConversionTranslator):
    """Events of one account, in the order of time, into effects."""

    def of_transfer(self, item: Transfer) -> Effects:
        effects = Effects()
        net = item.quantity + item.fee if item.quantity < 0 else item.quantity
        number = number_of(item.id)
        rank = (item.time, COMING_IN if item.quantity > 0 else GOING_OUT, "", number, 1)
        if net:
            worth = item.cost
            if worth is None:
                is_early = item.quantity > 0
                worth = self.dollars(
                    item.asset, abs(net), item.time, item.id, effects, is_early=is_early
                )
            kind = _payment_kind(item)
            sign = 1 if net > 0 else -1
            effects.payments.append(
                Payment(
                    kind,
                    item.id,
                    item.time,
                    item.asset,
                    net,
                    sign * (worth or ZERO),
                    is_assumed=item.kind == "opening",
                )
            )
            self.move_currency(effects, item.asset, net, sign * (worth or ZERO))
            if not self.worth.is_cash(item.asset):
                effects.moves.append(
                    Move(rank, item.time, item.asset, _move_kind(item), net, worth, item.id)
                )
        if item.quantity < 0 and item.fee:
            effects = self._network_fee(item, rank, effects)
        return effects

    def _network_fee(self, item: Transfer, rank: Rank, effects: Effects) -> Effects:
        worth = self.dollars(item.asset, item.fee, item.time, item.id, effects)
        effects.payments.append(
            Payment("income", item.id, item.time, item.asset, -item.fee, -(worth or ZERO))
        )
        self.move_currency(effects, item.asset, -item.fee, -(worth or ZERO))
        if not self.worth.is_cash(item.asset):
            effects.moves.append(
                Move((*rank[:4], 0), item.time, item.asset, "fee", -item.fee, worth, item.id)
            )
        return effects


def _payment_kind(item: Transfer) -> str:
    if item.kind == "outside":
        return "deposit" if item.quantity > 0 else "withdrawal"
    return item.kind


def _move_kind(item: Transfer) -> str:
    if item.quantity > 0:
        if item.cost is not None and item.kind == "outside":
            return "converted"  # something was given for it, outside of what is known
        return {"outside": "deposited", "opening": "opening"}.get(item.kind, "income")
    return "withdrawn" if item.kind == "outside" else "paid"
