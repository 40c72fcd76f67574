"""Spot fills as what they do to coins and to cash (money.md 1.3, 2.3, 2.5)."""

from decimal import Decimal

from journal.ledger.moves import FILL, Effects, Move, number_of, order_of
from journal.ledger.records import ONE, ZERO, Fill, Match
from journal.ledger.valuing import Valuing


class FillTranslator(Valuing):
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
        self.move_currency(effects, fill.base, sign * fill.quantity, sign * (worth or ZERO))
        self.move_currency(effects, fill.quote, -sign * value, -sign * (worth or ZERO))
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
        return self.first_known(cash_first, fill.time, fill.id, effects)

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
                self.move_currency(effects, asset, -amount, -(worth or ZERO))
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
