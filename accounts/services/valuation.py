"""What an account holds, and what that is worth in dollars, with the price that says so."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from lib.cash import DOLLARS
from lib.decimals import plain

# The dollars that a coin may be quoted in, the deepest markets first.
QUOTES = ("USDT", "USDC", "FDUSD", "USD", "BUSD", "TUSD", "DAI", "USD1")
CURRENCIES = ("USD", "EUR", "BTC", "ETH", "BNB")
IN_CENTS = frozenset({"USD", "EUR"})
# A coin without a dollar market is valued over one of these.
BRIDGES = ("BTC", "BNB", "ETH")


def snapshot(
    balances: Sequence[Mapping[str, str]],
    orders: Sequence[Mapping[str, Any]],
    prices: Mapping[str, str],
) -> dict[str, Any]:
    """Open orders, and balances as exact decimal text with `value` and its `source`."""
    with localcontext(prec=60):  # coins by the trillion, at prices of many places
        return _snapshot(balances, orders, prices)


def _snapshot(
    balances: Sequence[Mapping[str, str]],
    orders: Sequence[Mapping[str, Any]],
    prices: Mapping[str, str],
) -> dict[str, Any]:
    rows = []
    total = Decimal(0)
    for item in balances:
        held = Decimal(item["free"]) + Decimal(item["locked"])
        price, source = price_of(item["asset"], prices)
        value = None if price is None else held * price
        total += value or 0
        rows.append(
            {
                "asset": item["asset"],
                "free": plain(Decimal(item["free"])),
                "locked": plain(Decimal(item["locked"])),
                "value": None if value is None else plain(value),
                "source": source,
            }
        )
    rows.sort(key=lambda row: Decimal(row["value"] or 0), reverse=True)
    shown = ("symbol", "side", "type", "price", "origQty", "executedQty", "status", "time")
    known = {name: price_of(name, prices)[0] for name in CURRENCIES}
    return {
        "balances": rows,
        "total": plain(total),
        # dollars that one of each report currency is worth
        "rates": {name: plain(rate) for name, rate in known.items() if rate},
        "orders": [{name: order.get(name) for name in shown} for order in orders],
    }


def price_of(asset: str, prices: Mapping[str, str]) -> tuple[Decimal | None, str]:
    """(dollars a coin, the symbols that say so); None where no market does."""
    if asset in DOLLARS:
        return Decimal(1), "1"
    for dollar in QUOTES:
        if Decimal(prices.get(f"{asset}{dollar}", "0")):
            return Decimal(prices[f"{asset}{dollar}"]), f"{asset}{dollar}"
    for bridge in BRIDGES:
        pair = f"{asset}{bridge}"
        if pair in prices and f"{bridge}USDT" in prices:
            price = Decimal(prices[pair]) * Decimal(prices[f"{bridge}USDT"])
            return price, f"{pair} x {bridge}USDT"
    return None, ""


def in_currency(dollars: str | None, snapshot: Mapping[str, Any], currency: str) -> str | None:
    """A value of a snapshot in a report currency; None where either is not known."""
    rate = snapshot.get("rates", {}).get(currency)
    if dollars is None or rate is None:
        return None
    with localcontext(prec=60):
        places = Decimal("0.01") if currency in IN_CENTS else Decimal("0.00000001")
        return plain((Decimal(dollars) / Decimal(rate)).quantize(places))
