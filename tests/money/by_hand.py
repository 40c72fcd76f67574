"""Short spellings for hand-worked examples of the pure ledger, with moments in March 2026."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

from journal.ledger import Conversion, Fill, Funding, Ledger, Trade, Transfer, compute

QUOTES = ("FDUSD", "USDT", "USDC", "EUR", "BTC", "BNB", "ETH")


def at(day: int, hour: int = 8, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=UTC)


def fill(
    symbol: str,
    id: int,
    side: str,
    price: str,
    quantity: str,
    fee: str = "0 USDT",
    time: datetime | None = None,
    **more: Any,
) -> Fill:
    """One a day, of its number; `fee` is an amount and its coin."""
    quote = next(q for q in QUOTES if symbol.endswith(q))
    amount, coin = fee.split()
    return Fill(
        id,
        at(id) if time is None else time,
        symbol,
        symbol.removesuffix(quote),
        quote,
        side,
        D(price),
        D(quantity),
        D(amount),
        coin,
        **more,
    )


def buy(symbol: str, id: int, price: str, quantity: str, *rest: Any, **more: Any) -> Fill:
    return fill(symbol, id, "BUY", price, quantity, *rest, **more)


def sell(symbol: str, id: int, price: str, quantity: str, *rest: Any, **more: Any) -> Fill:
    return fill(symbol, id, "SELL", price, quantity, *rest, **more)


def perp(
    id: int, side: str, price: str, quantity: str, realized: str | None = None, **more: Any
) -> Fill:
    """Of BTCUSDT's contract."""
    known = None if realized is None else D(realized)
    return fill("BTCUSDT", id, side, price, quantity, market="usdm", realized=known, **more)


def settled(id: str, amount: str, time: datetime, **more: Any) -> Funding:
    return Funding(id, time, "BTCUSDT", D(amount), more.pop("asset", "USDT"), **more)


def moved(id: str, coin: str, quantity: str, time: datetime, **more: Any) -> Transfer:
    return Transfer(id, time, coin, D(quantity), **more)


def changed(
    id: str, given: str, received: str, time: datetime, kind: str = "convert"
) -> Conversion:
    """`given` and `received` are an amount and its coin."""
    (paid, from_coin), (got, to_coin) = given.split(), received.split()
    return Conversion(id, time, from_coin, D(paid), to_coin, D(got), kind)


def constant(**prices: str) -> Callable[[str, Any], D | None]:
    return lambda asset, time: D(prices[asset]) if asset in prices else None


def ledger(*events: Any, **more: Any) -> Ledger:
    """By the kinds of the events."""
    kinds = {Fill: "fills", Funding: "funding", Transfer: "transfers", Conversion: "conversions"}
    told: dict[str, Any] = {name: [] for name in kinds.values()}
    for event in events:
        told[kinds[type(event)]].append(event)
    return compute(told.pop("fills"), **told, **more)


def net(found: Ledger) -> D:
    """Everything realised, in the tax view."""
    return sum((match.net for match in found.matches), D(0))


def earned(trades: list[Trade]) -> D:
    return sum((trade.net for trade in trades), D(0))


def paid(found: Ledger, kind: str) -> D:
    return sum((payment.worth for payment in found.payments if payment.kind == kind), D(0))


def stack(found: Ledger) -> dict[str, D]:
    return {p.asset: p.stack_quantity for p in found.positions if p.stack_quantity}


def held(found: Ledger) -> dict[str, D]:
    """In open trades and contracts."""
    return {p.asset: p.trade_quantity for p in found.positions if p.trade_quantity}


def kinds(found: Ledger) -> list[str]:
    return [problem.kind for problem in found.problems]
