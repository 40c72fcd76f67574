"""Conversions, dust and swaps as what they do to coins and to cash (money.md 1.3, 2.1, 2.5)."""

from decimal import Decimal

from journal.ledger.moves import CONVERSION, Effects, Move, number_of
from journal.ledger.records import ONE, ZERO, Conversion, Match
from journal.ledger.valuing import Valuing


class ConversionTranslator(Valuing):
    def of_conversion(self, item: Conversion) -> Effects:
        if item.kind == "swap":
            return self._of_swap(item)
        if item.others:
            return self._of_group(item)
        effects = Effects()
        worth = self._worth_of_conversion(item, effects)
        word = "converted" if item.kind == "convert" else "dusted"
        self.move_currency(effects, item.given, -item.given_quantity, -(worth or ZERO))
        self.move_currency(effects, item.received, item.received_quantity, worth or ZERO)
        for order, (coin, quantity) in enumerate(_legs(item)):
            if not self.worth.is_cash(coin):
                rank = (item.time, CONVERSION, "", number_of(item.id), order)
                effects.moves.append(Move(rank, item.time, coin, word, quantity, worth, item.id))
        if self.worth.is_unit(item.given) and self.worth.is_unit(item.received):
            gross = item.received_quantity - item.given_quantity
            effects.matches.append(_exchange(item, gross))
        return effects

    def _of_swap(self, item: Conversion) -> Effects:
        """Only what nobody brought is valued by it: the rest keeps its cost."""
        effects = Effects()
        price = self.worth.price(item.given, item.time, is_early=True)
        worth = price.dollars * item.given_quantity if price else None
        for order, (coin, quantity) in enumerate(_legs(item)):
            effects.moves.append(
                Move(
                    (item.time, CONVERSION, "", number_of(item.id), order),
                    item.time,
                    coin,
                    "swapped",
                    quantity,
                    worth if order == 0 else None,
                    item.id,
                    partner=item.received if order == 0 else item.given,
                )
            )
        return effects

    def _worth_of_conversion(self, item: Conversion, effects: Effects) -> Decimal | None:
        sides = [
            (item.given, item.given_quantity),
            (item.received, item.received_quantity),
        ]
        for asset, quantity in sides:
            if self.worth.is_unit(asset):
                return quantity
        sides.sort(key=lambda side: not self.worth.is_cash(side[0]))
        return self.first_known(sides, item.time, item.id, effects, is_early=True)

    def _of_group(self, item: Conversion) -> Effects:
        """Several legs of one worth: each leg has its share of it by its own price."""
        effects = Effects()
        legs = [*_legs(item), *item.others]
        sides = [[leg for leg in legs if leg[1] < 0], [leg for leg in legs if leg[1] > 0]]
        worths = [self._shares(side, item, effects) for side in sides]
        whole = self._worth_of_group(sides, worths)
        word = "converted" if item.kind == "convert" else "dusted"
        for side, own in zip(sides, worths, strict=True):
            for index, ((asset, quantity), worth) in enumerate(
                zip(side, _scaled(own, whole), strict=True)
            ):
                sign = 1 if quantity > 0 else -1
                self.move_currency(effects, asset, quantity, sign * worth)
                if self.worth.is_cash(asset):
                    continue
                rank = (item.time, CONVERSION, "", number_of(item.id), index + 100 * (sign > 0))
                effects.moves.append(
                    Move(rank, item.time, asset, word, quantity, worth if whole else None, item.id)
                )
        self._exchange_of_group(item, sides, effects)
        return effects

    def _shares(
        self, side: list[tuple[str, Decimal]], item: Conversion, effects: Effects
    ) -> list[Decimal | None]:
        return [
            self.dollars(asset, abs(quantity), item.time, item.id, effects, is_early=True)
            for asset, quantity in side
        ]

    def _worth_of_group(
        self, sides: list[list[tuple[str, Decimal]]], worths: list[list[Decimal | None]]
    ) -> Decimal:
        """Of the side that is dollars alone, else of the given one, else of the other."""
        totals = [sum((worth or ZERO for worth in own), ZERO) for own in worths]
        for side, total in zip(sides, totals, strict=True):
            if all(self.worth.is_unit(asset) for asset, _ in side):
                return total
        for own, total in zip(worths, totals, strict=True):
            if None not in own:
                return total
        return max(totals)

    def _exchange_of_group(
        self, item: Conversion, sides: list[list[tuple[str, Decimal]]], effects: Effects
    ) -> None:
        """Dollars for dollars: the difference is realised at once."""
        if not all(self.worth.is_unit(asset) for side in sides for asset, _ in side):
            return
        gross = sum((quantity for side in sides for _, quantity in side), ZERO)
        effects.matches.append(_exchange(item, gross))


def _legs(item: Conversion) -> tuple[tuple[str, Decimal], tuple[str, Decimal]]:
    """What was given and what came for it, by sign."""
    return (item.given, -item.given_quantity), (item.received, item.received_quantity)


def _exchange(item: Conversion, gross: Decimal) -> Match:
    """Dollars for dollars: what one side was more than the other."""
    return Match(
        item.id,
        item.id,
        item.received_quantity,
        ONE,
        ONE,
        gross,
        ZERO,
        gross,
        kind="exchange",
        time=item.time,
        opened_at=item.time,
        asset=item.received,
    )


def _scaled(worths: list[Decimal | None], whole: Decimal) -> list[Decimal]:
    """Shares that add up to `whole`: by the worths that are known; what is left belongs to those
    that nobody knows, in equal parts."""
    known = sum((worth for worth in worths if worth is not None), ZERO)
    unknown = sum(1 for worth in worths if worth is None)
    if unknown and known < whole:
        rest = (whole - known) / unknown
        shares = [rest if worth is None else worth for worth in worths]
    elif known:
        shares = [(worth or ZERO) * whole / known for worth in worths]
    else:
        shares = [whole / len(worths) for _ in worths]
    shares[-1] = whole - sum(shares[:-1], ZERO)
    return shares
