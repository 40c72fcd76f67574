"""Fills, conversions and transfers as what they do to each coin, and to money.

Both sides of one event have one worth (money.md 1.3), so the books of two coins never need each
other. Cash has no lots: what happens between two kinds of cash is a match at once, the rest is a
payment.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from journal.ledger.moves import (
    COMING_IN,
    CONVERSION,
    FILL,
    GOING_OUT,
    Effects,
    Move,
    Rank,
    number_of,
    order_of,
)
from journal.ledger.records import (
    ONE,
    ZERO,
    Conversion,
    Fill,
    Id,
    Match,
    Payment,
    Problem,
    Transfer,
)
from journal.ledger.worth import Worth, is_old


class Translator:
    """Events of one account, in the order of time, into effects; it learns prices as it goes."""

    def __init__(self, worth: Worth) -> None:
        self.worth = worth

    # --- fills --------------------------------------------------------------------------------

    def of_fill(self, fill: Fill) -> Effects:
        """A spot fill."""
        effects = Effects()
        value = fill.quote_value
        worth = self._worth_of_fill(fill, value, effects)
        self.worth.learn(fill, worth)
        is_buy = fill.side == "BUY"
        sides = _Sides(fill, value, worth, is_buy)
        fee, fee_moves = self._fees(fill, sides, effects)
        base_is_cash = self.worth.is_cash(fill.base)
        quote_is_cash = self.worth.is_cash(fill.quote)
        if not base_is_cash:
            effects.moves.append(
                sides.base_move(fee, sides.arrived_fee if is_buy else ZERO, self._unit(sides))
            )
        if not quote_is_cash:
            left_fee = fee if base_is_cash else ZERO
            lessened = ZERO if is_buy else sides.arrived_fee
            effects.moves.append(sides.quote_move(left_fee, lessened))
        if base_is_cash and quote_is_cash:
            effects.matches.append(self._exchange(fill, sides, fee))
        sign = 1 if is_buy else -1
        self._leg(effects, fill.base, sign * fill.quantity, sign * (worth or ZERO))
        self._leg(effects, fill.quote, -sign * value, -sign * (worth or ZERO))
        effects.moves += fee_moves
        effects.moves = [move for move in effects.moves if move.quantity]
        return effects

    def _worth_of_fill(self, fill: Fill, value: Decimal, effects: Effects) -> Decimal | None:
        if self.worth.is_unit(fill.quote):
            return value
        if self.worth.is_unit(fill.base):
            return fill.quantity
        cash_first = sorted(
            ((fill.quote, value), (fill.base, fill.quantity)),
            key=lambda side: not self.worth.is_cash(side[0]),
        )
        return self._first_known(cash_first, fill.time, fill.id, effects)

    def _unit(self, sides: "_Sides") -> Decimal:
        if sides.worth is None or not sides.value:
            return ONE
        return sides.worth / sides.value

    def _fees(self, fill: Fill, sides: "_Sides", effects: Effects) -> tuple[Decimal, list[Move]]:
        """(what the fees are worth together, the coins that leave or come for them)"""
        total, moves = ZERO, []
        arriving = fill.base if sides.is_buy else fill.quote
        for index, (amount, asset) in enumerate(fill.all_fees):
            worth = self._fee_worth(fill, sides, amount, asset, effects)
            total += worth or ZERO
            if self.worth.is_cash(asset):
                self._leg(effects, asset, -amount, -(worth or ZERO))
                continue
            if asset == arriving and amount > 0 and sides.arrived_fee + amount < sides.arrived:
                sides.arrived_fee += amount  # it comes out of what arrives: no match
                continue
            moves.append(
                Move(
                    rank=(fill.time, FILL, fill.symbol, number_of(fill.id), 1 + index),
                    time=fill.time,
                    coin=asset,
                    kind="fee" if amount > 0 else "rebate",
                    quantity=-amount,
                    worth=None if worth is None else abs(worth),
                    id=fill.id,
                    symbol=fill.symbol,
                    order=sides.order,
                )
            )
        return total, moves

    def _fee_worth(
        self, fill: Fill, sides: "_Sides", amount: Decimal, asset: str, effects: Effects
    ) -> Decimal | None:
        """At the fill's own price where the fee is in one of its two assets."""
        if not self.worth.is_unit(asset) and sides.worth is not None:
            if asset == fill.base:
                return sides.worth * amount / fill.quantity
            if asset == fill.quote and sides.value:
                return sides.worth * amount / sides.value
        return self.dollars(asset, amount, fill.time, fill.id, effects)

    def _exchange(self, fill: Fill, sides: "_Sides", fee: Decimal) -> Match:
        """Between two dollars the difference of the sides; with a currency the rate decides, and
        what differs from it is the currency's effect."""
        gross = ZERO
        if self.worth.is_unit(fill.base) and self.worth.is_unit(fill.quote):
            gross = fill.quantity - sides.value
            gross = gross if sides.is_buy else -gross
        price = sides.worth / fill.quantity if sides.worth is not None else ZERO
        return Match(
            fill.id,
            fill.id,
            fill.quantity,
            price,
            price,
            gross,
            fee,
            gross - fee,
            kind="exchange",
            time=fill.time,
            opened_at=fill.time,
            asset=fill.base,
            symbol=fill.symbol,
        )

    # --- what is no fill ----------------------------------------------------------------------

    def of_conversion(self, item: Conversion) -> Effects:
        effects = Effects()
        given, received = item.given, item.received
        number = number_of(item.id)
        if item.kind == "swap":
            # only what nobody brought is valued by it: the rest keeps its cost
            price = self.worth.price(given, item.time, is_early=True)
            worth = price.dollars * item.given_quantity if price else None
            for order, (coin, quantity) in enumerate(
                ((given, -item.given_quantity), (received, item.received_quantity))
            ):
                effects.moves.append(
                    Move(
                        (item.time, CONVERSION, "", number, order),
                        item.time,
                        coin,
                        "swapped",
                        quantity,
                        worth if order == 0 else None,
                        item.id,
                        partner=received if order == 0 else given,
                    )
                )
            return effects
        if item.others:
            return self._of_group(item)
        both_units = self.worth.is_unit(given) and self.worth.is_unit(received)
        worth = self._worth_of_conversion(item, effects)
        word = "converted" if item.kind == "convert" else "dusted"
        self._leg(effects, given, -item.given_quantity, -(worth or ZERO))
        self._leg(effects, received, item.received_quantity, worth or ZERO)
        if not self.worth.is_cash(given):
            effects.moves.append(
                Move(
                    (item.time, CONVERSION, "", number, 0),
                    item.time,
                    given,
                    word,
                    -item.given_quantity,
                    worth,
                    item.id,
                )
            )
        if not self.worth.is_cash(received):
            effects.moves.append(
                Move(
                    (item.time, CONVERSION, "", number, 1),
                    item.time,
                    received,
                    word,
                    item.received_quantity,
                    worth,
                    item.id,
                )
            )
        if both_units:
            gross = item.received_quantity - item.given_quantity
            effects.matches.append(
                Match(
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
                    asset=received,
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
        return self._first_known(sides, item.time, item.id, effects, is_early=True)

    def _of_group(self, item: Conversion) -> Effects:
        """Several legs of one worth: each leg has its share of it by its own price."""
        effects = Effects()
        legs = [
            (item.given, -item.given_quantity),
            (item.received, item.received_quantity),
            *item.others,
        ]
        sides = [[leg for leg in legs if leg[1] < 0], [leg for leg in legs if leg[1] > 0]]
        worths = [self._shares(side, item, effects) for side in sides]
        whole = self._worth_of_group(sides, worths)
        word = "converted" if item.kind == "convert" else "dusted"
        for side, own in zip(sides, worths, strict=True):
            for index, ((asset, quantity), worth) in enumerate(
                zip(side, _scaled(own, whole), strict=True)
            ):
                sign = 1 if quantity > 0 else -1
                self._leg(effects, asset, quantity, sign * worth)
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
        effects.matches.append(
            Match(
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
        )

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
            self._leg(effects, item.asset, net, sign * (worth or ZERO))
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
        self._leg(effects, item.asset, -item.fee, -(worth or ZERO))
        if not self.worth.is_cash(item.asset):
            effects.moves.append(
                Move((*rank[:4], 0), item.time, item.asset, "fee", -item.fee, worth, item.id)
            )
        return effects

    def _leg(self, effects: Effects, asset: str, quantity: Decimal, worth: Decimal) -> None:
        if self.worth.is_cash(asset) and not self.worth.is_unit(asset):
            effects.legs.append((asset, quantity, worth))

    # --- worth --------------------------------------------------------------------------------

    def dollars(
        self,
        asset: str,
        quantity: Decimal,
        time: Any,
        id: Id,
        effects: Effects,
        *,
        is_early: bool = False,
    ) -> Decimal | None:
        price = self.worth.price(asset, time, is_early=is_early)
        if price is None or is_old(price, time):
            worth = ZERO if price is None else abs(price.dollars * quantity)
            effects.problems.append(_missing_price(asset, quantity, time, id, worth))
        return None if price is None else price.dollars * quantity

    def _first_known(
        self,
        sides: Iterable[tuple[str, Decimal]],
        time: Any,
        id: Id,
        effects: Effects,
        *,
        is_early: bool = False,
    ) -> Decimal | None:
        """By the first of the sides whose price is known, however old it is."""
        sides = list(sides)
        for asset, quantity in sides:
            price = self.worth.price(asset, time, is_early=is_early)
            if price is not None:
                worth = price.dollars * quantity
                if is_old(price, time):
                    effects.problems.append(_missing_price(asset, quantity, time, id, worth))
                return worth
        asset, quantity = sides[0]
        effects.problems.append(_missing_price(asset, quantity, time, id, ZERO))
        return None


class _Sides:
    """Both sides of a spot fill. `arrived_fee` is what a fee takes of what arrives."""

    def __init__(self, fill: Fill, value: Decimal, worth: Decimal | None, is_buy: bool) -> None:
        self.fill = fill
        self.value = value
        self.worth = worth
        self.is_buy = is_buy
        self.arrived = fill.quantity if is_buy else value
        self.arrived_fee = ZERO
        self.order = order_of(fill)

    def base_move(self, fee: Decimal, lessened: Decimal, unit: Decimal) -> Move:
        kind = "bought" if self.is_buy else "sold"
        return self._move(self.fill.base, kind, self.fill.quantity, fee, lessened, unit)

    def quote_move(self, fee: Decimal, lessened: Decimal) -> Move:
        kind = "spent" if self.is_buy else "received"
        return self._move(self.fill.quote, kind, self.value, fee, lessened, ONE)

    def _move(
        self,
        coin: str,
        kind: str,
        quantity: Decimal,
        fee: Decimal,
        lessened: Decimal,
        unit: Decimal,
    ) -> Move:
        """`lessened`: what of the quantity went for the fee before it arrived."""
        fill, worth = self.fill, self.worth
        if lessened and worth is not None:
            worth = worth * (quantity - lessened) / quantity
        quantity -= lessened
        is_in = kind in {"bought", "received"}
        return Move(
            rank=(fill.time, FILL, fill.symbol, number_of(fill.id), 0),
            time=fill.time,
            coin=coin,
            kind=kind,
            quantity=quantity if is_in else -quantity,
            worth=worth,
            id=fill.id,
            fee=fee,
            symbol=fill.symbol,
            order=self.order,
            unit=unit,
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


def _missing_price(asset: str, quantity: Decimal, time: Any, id: Id, worth: Decimal) -> Problem:
    known = "an older price is used" if worth else "it counts as 0"
    return Problem(
        "missing_price",
        id,
        abs(quantity),
        f"{abs(quantity)} {asset} at {time}: no price of {asset} at that time, {known}",
        asset=asset,
        worth=abs(worth),
        time=time,
    )
