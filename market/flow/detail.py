"""How much of a bar is known. Pure."""

from enum import IntEnum


class Detail(IntEnum):
    """More replaces less where it is complete over the whole bar."""

    # from the exchange's own candles: sums, prices and count, no bands
    TOTAL = 0
    # from aggregates: taker orders, not their single trades
    ORDER = 1
    # from single trades: bands in both units
    FULL = 2

    @property
    def word(self) -> str:
        """As the API says it."""
        return self.name.lower()
