"""How far a trade went against and for the trader, from the path of prices.

Money of the position at a moment = cash of its fills so far + mark x open quantity, gross of fees;
0 at entry. So a lot counts only from its own entry on, and the worst price is never multiplied by
the final size. Linear contracts; prices and quantities are those of the quote and base asset.
"""

from bisect import bisect_left
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
    """The extremes of a bar that opens at `second`."""

    second: int
    low: Decimal
    high: Decimal
    seconds: int = 1

    @property
    def end(self) -> int:
        return self.second + self.seconds


@dataclass(frozen=True)
class Excursion:
    """`mae` <= 0 <= `mfe`, in the quote asset."""

    mae: Decimal
    mfe: Decimal


def excursion(
    executions: Sequence[Execution], path: Sequence[Span], *, with_own: bool = False
) -> Excursion:
    """From the first execution to the one that ends flat. In a bar with executions only their own
    prices count, since the bar's extremes may lie before or after them; `with_own` counts them for
    everything held in it, so that the truth lies between the two answers."""
    if not executions:
        return Excursion(ZERO, ZERO)
    fills = sorted(executions, key=lambda execution: execution.second)
    seconds = [fill.second for fill in fills]
    first, last = seconds[0], seconds[-1]
    is_open = sum((f.quantity for f in fills), ZERO) != 0
    marks: list[tuple[int, int, Execution | Span]] = [(f.second, 0, f) for f in fills]
    busy: dict[Execution, Span] = {}
    for span in path:
        inside = fills[bisect_left(seconds, span.second) : bisect_left(seconds, span.end)]
        if inside and with_own:
            busy |= dict.fromkeys(inside, span)
        if not inside and span.second >= first and (is_open or span.second <= last):
            marks.append((span.second, 1, span))
    cash = held = worst = best = ZERO
    for _, _, mark in sorted(marks, key=lambda item: item[:2]):
        if isinstance(mark, Execution):
            around = busy.get(mark)
            values = _at_ends(cash, held, around) if around else []
            cash -= mark.quantity * mark.price
            held += mark.quantity
            values += [cash + held * mark.price, *(_at_ends(cash, held, around) if around else [])]
        else:
            values = _at_ends(cash, held, mark)
        worst, best = min(worst, *values), max(best, *values)
    return Excursion(worst, best)


def _at_ends(cash: Decimal, held: Decimal, span: Span) -> list[Decimal]:
    return [cash + held * span.low, cash + held * span.high]


def exit_efficiency(gross: Decimal, excursion: Excursion) -> Metric:
    """Captured move / best move while the trade was open."""
    with localcontext(PRECISION):
        return gross / excursion.mfe if excursion.mfe > 0 else Undefined.NOTHING


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
