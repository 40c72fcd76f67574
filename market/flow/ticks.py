"""The unit of the exchange's times: micro- or milliseconds since the epoch, told by their size."""

from collections.abc import Sequence

from market.flow.trades import Trade

MICROSECONDS_FROM = 10**14


def is_micro(moment: float) -> bool:
    return moment >= MICROSECONDS_FROM


def ticks_of(moment: int) -> int:
    """Units a second."""
    return 1_000_000 if moment >= MICROSECONDS_FROM else 1000


def ms_of(moment: int) -> int:
    """Epoch ms of a moment in either unit."""
    return moment // 1000 if moment >= MICROSECONDS_FROM else moment


def in_unit(trades: Sequence[Trade], ticks: int) -> list[Trade]:
    """The trades that a tape of `ticks` a second can take. A millisecond row on a microsecond tape
    is left out, since its sweep cannot be known; a microsecond row on a millisecond tape loses its
    last digits."""
    if ticks == 1_000_000:
        return [trade for trade in trades if trade.time >= MICROSECONDS_FROM]
    for trade in trades:
        if trade.time >= MICROSECONDS_FROM:
            trade.time //= 1000
    return list(trades)
