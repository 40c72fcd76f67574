"""Two habits of a trader who lost and wants it back, read from one's own closed trades: going on
after losses in a row, and putting in more than usual right after a loss. Counts and sums of what
happened; they claim nothing about what comes."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

# A usual size is the mean of so many trades that closed last; fewer than `LEAST_SIZES` have none.
MEAN_OF = 20
LEAST_SIZES = 5
# More than so many times the usual size is larger than usual.
LARGER = Decimal("1.5")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Closed:
    """`net` and `size` in the report currency; None: not known there."""

    opened_at: datetime
    closed_at: datetime
    net: Decimal | None
    size: Decimal | None


@dataclass(frozen=True)
class Cost:
    """What trades of one habit came to."""

    count: int
    net: Decimal


class History:
    """Closed trades in the order in which they closed."""

    def __init__(self, trades: Sequence[Closed]) -> None:
        self._trades = sorted(trades, key=lambda trade: trade.closed_at)
        self._closings = [trade.closed_at for trade in self._trades]
        # losses in a row up to and with each trade
        self._rows: list[int] = []
        for trade in self._trades:
            before = self._rows[-1] if self._rows else 0
            self._rows.append(before + 1 if _is_loss(trade) else 0)

    def losses_at(self, moment: datetime) -> int:
        """Losses in a row among what had closed by then."""
        at = bisect_right(self._closings, moment)
        return self._rows[at - 1] if at else 0

    def times_usual(self, size: Decimal | None, moment: datetime) -> Decimal | None:
        """How many times the usual size at that moment; None: nobody knows."""
        at = bisect_right(self._closings, moment)
        sizes = [trade.size for trade in self._trades[max(0, at - MEAN_OF) : at] if trade.size]
        if size is None or len(sizes) < LEAST_SIZES:
            return None
        return size * len(sizes) / sum(sizes, ZERO)

    def after_losses(self, losses: int) -> Cost:
        """What was opened after at least so many losses in a row."""
        return _cost([t for t in self._trades if self.losses_at(t.opened_at) >= losses])

    def larger_after_loss(self) -> Cost:
        return _cost([t for t in self._trades if self.is_larger_after_loss(t.size, t.opened_at)])

    def is_larger_after_loss(self, size: Decimal | None, opened_at: datetime) -> bool:
        times = self.times_usual(size, opened_at) if self.losses_at(opened_at) else None
        return times is not None and times > LARGER


def _is_loss(trade: Closed) -> bool:
    return trade.net is not None and trade.net < 0


def _cost(trades: Sequence[Closed]) -> Cost:
    return Cost(len(trades), sum((trade.net or ZERO for trade in trades), ZERO))
