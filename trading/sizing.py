"""What an order would be: size from the risk, fees, slippage, margin, liquidation, and R of each
target. Pure arithmetic in Decimal; prices in the quote, quantities in the base.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from market.binance.filters import round_down

ZERO = Decimal(0)


@dataclass(frozen=True)
class Rates:
    """Shares of the notional."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True)
class Fees:
    entry: Decimal
    exit: Decimal

    @property
    def both(self) -> Decimal:
        return self.entry + self.exit


def distance(entry: Decimal, stop: Decimal, *, is_buy: bool) -> Decimal:
    """What one unit loses at the stop; not above zero: the stop is on the wrong side."""
    return entry - stop if is_buy else stop - entry


def quantity_for(money: Decimal, entry: Decimal, stop: Decimal, step: Decimal) -> Decimal:
    """The most that loses not more than `money` between entry and stop, down to the step (fees and
    slippage apart: they are told beside it)."""
    return round_down(money / abs(entry - stop), step)


def r_of(target: Decimal, entry: Decimal, stop: Decimal) -> Decimal:
    """Distance to the target in distances to the stop; below zero on the stop's side."""
    return ((target - entry) / (entry - stop)).quantize(Decimal("0.01"))


def fees(quantity: Decimal, entry: Decimal, leave: Decimal, rates: Rates, *, takes: bool) -> Fees:
    """Both ways; the way out is a taker's, by stop or market."""
    first = rates.taker if takes else rates.maker
    return Fees(quantity * entry * first, quantity * leave * rates.taker)


@dataclass(frozen=True)
class Slippage:
    """Of an order at the market through the book as it stands: mean price, the difference to the
    best price in quote, and whether the book seen is deep enough."""

    price: Decimal
    cost: Decimal
    is_whole: bool


def slippage(levels: Sequence[tuple[Decimal, Decimal]], quantity: Decimal) -> Slippage | None:
    """`levels` are (price, quantity), best first, of the side that is taken; None without any."""
    if not levels or quantity <= 0:
        return None
    left, paid = quantity, ZERO
    for price, offered in levels:
        taken = min(left, offered)
        paid += taken * price
        left -= taken
        if not left:
            break
    if left:  # beyond what is seen: at the last price that is
        paid += left * levels[-1][0]
    best = levels[0][0]
    return Slippage(paid / quantity, abs(paid - best * quantity), not left)


def margin(notional: Decimal, leverage: int) -> Decimal:
    return notional / leverage


def liquidation(
    entry: Decimal,
    quantity: Decimal,
    collateral: Decimal,
    maintenance: Decimal,
    *,
    is_buy: bool,
) -> Decimal | None:
    """The price at which collateral and loss leave just the maintenance margin; None where a long
    cannot be liquidated above zero. An estimate: one bracket, no other positions."""
    if not quantity:
        return None
    if is_buy:
        price = (entry * quantity - collateral) / (quantity * (1 - maintenance))
        return price if price > 0 else None
    return (entry * quantity + collateral) / (quantity * (1 + maintenance))


def parts(quantity: Decimal, count: int, step: Decimal) -> list[Decimal]:
    """A quantity over so many targets, each a multiple of the step, the rest with the last."""
    share = round_down(quantity / count, step)
    return [*[share] * (count - 1), quantity - share * (count - 1)]


def worst(prices: Iterable[Decimal], *, is_buy: bool) -> Decimal:
    """Of several protective stops the one that loses most."""
    return min(prices) if is_buy else max(prices)
