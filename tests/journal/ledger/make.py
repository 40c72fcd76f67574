"""Short spellings of fills for hand-worked cases."""

from decimal import Decimal
from typing import Any

from journal.ledger import Fill


def fill(
    id: str | int,
    side: str,
    quantity: str,
    price: str,
    *,
    at: int | None = None,
    fee: str = "0",
    fee_asset: str | None = "USDT",
    **more: Any,
) -> Fill:
    """A BTCUSDT spot fill at `at` (default: its id)."""
    time = at if at is not None else int(id)
    known: dict[str, Any] = {"symbol": "BTCUSDT", "base": "BTC", "quote": "USDT", **more}
    return Fill(
        id,
        time,
        known.pop("symbol"),
        known.pop("base"),
        known.pop("quote"),
        side,
        Decimal(price),
        Decimal(quantity),
        Decimal(fee),
        fee_asset,
        **known,
    )


def buy(id: str | int, quantity: str, price: str, **more: Any) -> Fill:
    return fill(id, "BUY", quantity, price, **more)


def sell(id: str | int, quantity: str, price: str, **more: Any) -> Fill:
    return fill(id, "SELL", quantity, price, **more)
