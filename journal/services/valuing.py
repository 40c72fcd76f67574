"""What is open, at the newest prices: the same numbers for pages, API and the live topic `pnl`."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User
from journal import live
from journal.models import Balance, Market, OpenPosition, Trade
from journal.services.rebuilding import rounded
from lib.cash import DOLLARS
from lib.decimals import decimal, plain
from market.hot import keys
from market.instruments import InstrumentKey
from market.models import Instrument
from market.reading import hot_client

log = structlog.get_logger(__name__)

Pair = tuple[str, str]
# An older price is shown as old.
STALE_MS = 15_000
_last_told: dict[int, Any] = {}


@dataclass(frozen=True)
class Quote:
    """`time_ms` is when the exchange said it."""

    price: Decimal
    time_ms: int


@dataclass(frozen=True)
class Valued:
    """An open position; amounts in the quote asset, None where cost or price is not known; `rate`
    is what one of it is worth in the report currency."""

    position: OpenPosition
    trade_id: int | None
    quote: Quote | None
    unrealized: Decimal | None
    value: Decimal | None
    rate: Decimal | None

    @property
    def unrealized_money(self) -> Decimal | None:
        if self.unrealized is None or self.rate is None:
            return None
        return rounded(self.unrealized * self.rate)

    @property
    def value_money(self) -> Decimal | None:
        return None if self.value is None or self.rate is None else rounded(self.value * self.rate)

    @property
    def is_stale(self) -> bool:
        return self.quote is None or self.quote.time_ms < time.time() * 1000 - STALE_MS

    def as_answer(self) -> dict[str, Any]:
        position = self.position
        return {
            "account": str(position.account_id), "market": position.market,
            "symbol": position.symbol, "position_side": position.position_side,
            "trade": self.trade_id, "quantity": _text(position.quantity),
            "average_price": _text(position.average_price),
            "realized_gross": _text(position.realized_gross), "fees": _text(position.fees),
            "funding": _text(position.funding),
            "price": _text(self.quote.price if self.quote else None),
            "price_time": self.quote.time_ms if self.quote else None, "stale": self.is_stale,
            "unrealized": _text(self.unrealized), "unrealized_money": _text(self.unrealized_money),
            "value": _text(self.value), "value_money": _text(self.value_money),
        }  # fmt: skip


def value_positions(user: User) -> list[Valued]:
    return _value(OpenPosition.objects.visible_to(user).exclude(quantity=0))


def owners() -> list[int]:
    """Users with open positions, and those who were told of some."""
    rows = OpenPosition.objects.filter(account__venue=settings.VENUE).exclude(quantity=0)
    return sorted({*rows.values_list("account__user", flat=True), *_last_told})


def tell_everyone(users: Collection[int] | None = None) -> None:
    """Each user's open positions on the topic `pnl`, when something has moved; or some users'."""
    rows = OpenPosition.objects.filter(account__venue=settings.VENUE).exclude(quantity=0)
    if users is not None:
        rows = rows.filter(account__user__in=users)
    valued: dict[int, list[Valued]] = {}
    for item in _value(rows):
        valued.setdefault(item.position.account.user_id, []).append(item)
    now_ms = int(time.time() * 1000)
    for user_id, items in valued.items():
        data = as_answer(items)
        if _last_told.get(user_id) != data:
            _last_told[user_id] = data
            live.tell(user_id, "pnl", "all", now_ms, data)
    for user_id in set(_last_told if users is None else users) & set(_last_told) - set(valued):
        del _last_told[user_id]
        live.tell(user_id, "pnl", "all", now_ms, as_answer([]))


def as_answer(items: Iterable[Valued]) -> dict[str, Any]:
    """Positions, and the sum in the report currency of those that have one."""
    found = list(items)
    known = [item.unrealized_money for item in found if item.unrealized_money is not None]
    return {
        "positions": [item.as_answer() for item in found],
        "unrealized_money": _text(sum(known, Decimal(0))),
        "unknown": len(found) - len(known),
    }


def _value(rows: QuerySet[OpenPosition]) -> list[Valued]:
    positions = list(rows.select_related("account__user").order_by("market", "symbol", "pk"))
    wanted: set[Pair] = {(row.market, row.symbol) for row in positions}
    coins = {row.quote for row in positions}
    coins |= {row.account.user.report_currency for row in positions}
    coins -= DOLLARS
    quotes = newest_prices(wanted | {(Market.SPOT, f"{coin}USDT") for coin in coins})
    accounts = {row.account_id for row in positions}
    trades = {
        (t.account_id, t.market, t.symbol, t.position_side): t.pk
        for t in Trade.objects.filter(account__in=accounts, closed_at=None)
    }
    keys = [(row.account_id, row.market, row.symbol, row.position_side) for row in positions]
    return [_valued(row, quotes, trades.get(key)) for row, key in zip(positions, keys, strict=True)]


def _valued(row: OpenPosition, quotes: dict[Pair, Quote], trade_id: int | None) -> Valued:
    quote = quotes.get((row.market, row.symbol))
    unrealized = value = None
    if quote is not None:
        value = rounded(row.quantity * quote.price)
        if row.average_price is not None:
            unrealized = rounded((quote.price - row.average_price) * row.known_quantity)
    dollars, unit = (_dollars(a, quotes) for a in (row.quote, row.account.user.report_currency))
    rate = dollars / unit if dollars is not None and unit else None
    return Valued(row, trade_id, quote, unrealized, value, rate)


def _dollars(asset: str, quotes: dict[Pair, Quote]) -> Decimal | None:
    if asset in DOLLARS:
        return Decimal(1)
    found = quotes.get((Market.SPOT, f"{asset}USDT"))
    return found.price if found else None


# --- prices -------------------------------------------------------------------------------------


def prices_key() -> str:
    """Hash: `market:symbol` -> price and epoch ms, of what no tape is kept of."""
    return f"tl:prices:{settings.VENUE}"


def newest_prices(wanted: Collection[Pair]) -> dict[Pair, Quote]:
    """Spot by the last trade of the tape where one is kept; futures by the mark price."""
    found: dict[Pair, Quote] = {}
    client = hot_client()
    pairs = sorted(wanted)
    if not pairs:
        return found
    try:
        told: Any = client.hmget(prices_key(), [f"{market}:{symbol}" for market, symbol in pairs])
        with client.pipeline(transaction=False) as pipe:
            for market, symbol in pairs:
                tape = InstrumentKey(settings.VENUE, market, symbol)
                pipe.hmget(keys.state(tape), ["price", "covered_to"])
            states = pipe.execute()
    except redis.RedisError as error:
        log.warning("redis away, no prices", error=type(error).__name__)
        return found
    for pair, text, (price, covered) in zip(pairs, told, states, strict=True):
        if text:
            words = text.decode().split()
            found[pair] = Quote(Decimal(words[0]), int(words[1]))
        if pair[0] == Market.SPOT and price and covered:
            quote = Quote(decimal(int(price)), int(covered))
            if pair not in found or quote.time_ms >= found[pair].time_ms:
                found[pair] = quote
    return found


def needed_prices() -> dict[str, set[str]]:
    """Market -> symbols of open positions whose price no tape tells."""
    rows = OpenPosition.objects.filter(account__venue=settings.VENUE).exclude(quantity=0)
    pairs = set(rows.values_list("market", "symbol").distinct())
    pairs |= {(Market.SPOT, f"{quote}USDT") for quote in
              rows.values_list("quote", flat=True).distinct() if quote not in DOLLARS}  # fmt: skip
    wanted = rows.values_list("account__user__report_currency", flat=True).distinct()
    pairs |= {(Market.SPOT, f"{coin}USDT") for coin in wanted if coin not in DOLLARS}
    held = Balance.objects.filter(account__venue=settings.VENUE)
    pairs |= {(Market.SPOT, f"{asset}USDT") for asset in
              held.values_list("asset", flat=True).distinct() if asset not in DOLLARS}  # fmt: skip
    kept = set(
        Instrument.objects.filter(
            venue=settings.VENUE, market=Market.SPOT, is_followed=True
        ).values_list("market", "symbol")
    )
    needed: dict[str, set[str]] = {}
    for market, symbol in pairs - kept:
        needed.setdefault(market, set()).add(symbol)
    return needed


def keep_prices(market: str, prices: dict[str, str], time_ms: int) -> None:
    """What REST or a stream said; the newest only."""
    if prices:
        fields = {f"{market}:{symbol}": f"{price} {time_ms}" for symbol, price in prices.items()}
        hot_client().hset(prices_key(), mapping=fields)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
