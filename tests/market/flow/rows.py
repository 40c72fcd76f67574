"""Small tapes for tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A trade in the words of `market.flow.tape.Trade`; `time` in microseconds."""

    id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool
    kind: str = "MARKET"


def row(id: int, price: str, quantity: str, at: float, side: str, kind: str = "MARKET") -> Row:
    """`at` in seconds, `side` of the taker: "buy" or "sell"."""
    return Row(id, price, quantity, round(at * 1_000_000), side == "sell", kind)
