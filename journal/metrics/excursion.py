"""How far a trade went against and for the trader, from the path of prices.

Money of the position at a moment = cash of its fills so far + mark x open quantity, gross of fees;
0 at entry. So a lot counts only from its own entry on, and the worst price is never multiplied by
the final size. Linear contracts; prices and quantities are those of the quote and base asset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import NamedTuple

from journal.metrics.undefined import PRECISION, Metric, Undefined

ZERO = Decimal(0)


class Execution(NamedTuple):
    """`second` as in the path; `quantity` signed, + bought, - sold."""

    second: int
    quantity: Decimal
    price: Decimal


class Span(NamedTuple):
    """The extremes of one second."""

    second: int
    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Excursion:
    """`mae` <= 0 <= `mfe`, in the quote asset."""

    mae: Decimal
    mfe: Decimal


def excursion(executions: Sequence[Execution], path: Sequence[Span]) -> Excursion:
    """From the first execution to the one that ends flat. In a second with executions only their
    own prices count, since the second's extremes may lie before or after them."""
    if not executions:
        return Excursion(ZERO, ZERO)
    fills = sorted(executions, key=lambda execution: execution.second)
    busy = {execution.second for execution in fills}
    first, last = fills[0].second, fills[-1].second
    marks: list[tuple[int, int, Execution | Span]] = [(f.second, 0, f) for f in fills]
    is_open = sum((f.quantity for f in fills), ZERO) != 0
    marks += [
        (span.second, 1, span)
        for span in path
        if span.second >= first and (is_open or span.second <= last) and span.second not in busy
    ]
    cash = held = worst = best = ZERO
    for _, _, mark in sorted(marks, key=lambda item: item[:2]):
        if isinstance(mark, Execution):
            cash -= mark.quantity * mark.price
            held += mark.quantity
            values = (cash + held * mark.price,)
        else:
            values = (cash + held * mark.low, cash + held * mark.high)  # type: ignore[assignment]
        worst, best = min(worst, *values), max(best, *values)
    return Excursion(worst, best)


def exit_efficiency(gross: Decimal, found: Excursion) -> Metric:
    """Captured move / best move while the trade was open."""
    with localcontext(PRECISION):
        return gross / found.mfe if found.mfe > 0 else Undefined.NOTHING


def after_exit(
    is_long: bool, exit_price: Decimal, quantity: Decimal, path: Sequence[Span]
) -> Excursion:
    """What holding on would have brought at worst and at best over the path behind the exit."""
    sign = 1 if is_long else -1
    moves = [
        (price - exit_price) * quantity * sign for span in path for price in (span.low, span.high)
    ]
    return Excursion(min([ZERO, *moves]), max([ZERO, *moves]))


def slippage(price: Decimal, mid: Decimal, quantity: Decimal, is_buy: bool) -> Decimal:
    """(fill - mid) x side x quantity: positive is a cost."""
    return (price - mid) * quantity * (1 if is_buy else -1)
