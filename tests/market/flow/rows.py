"""Small tapes for tests."""

from lib.decimals import scaled
from market.flow.trades import Trade


def row(id: int, price: str, quantity: str, at: float, side: str, is_flow: bool = True) -> Trade:
    """`at` in seconds, `side` of the taker: "buy" or "sell"."""
    time = round(at * 1_000_000)
    return Trade(id, scaled(price), scaled(quantity), time, side == "sell", is_flow)
