"""What is open, at the newest prices: the same numbers for pages, API and the live topic `pnl`."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User
from journal import live
from journal.books.rates import rounded
from journal.models import Market, OpenPosition, Trade
from journal.services.live_prices import Pair, Quote, dollars_now, newest_prices
from journal.shapes.exchange import PositionRow, Valuation
from lib.decimals import plain

log = structlog.get_logger(__name__)

# An older price is shown as old.
STALE_MS = 15_000
_last_told: dict[int, Any] = {}


@dataclass(frozen=True)
class Valued:
    """An open position; amounts in dollars, None where the price is not known; `rate` is what a
    dollar is worth in the report currency. `trade_unrealized` is its open trade's own, without
    what is kept beside it."""

    position: OpenPosition
    trade_id: int | None
    quote: Quote | None
    unrealized: Decimal | None
    value: Decimal | None
    rate: Decimal | None
    trade_unrealized: Decimal | None = None

    @property
    def unrealized_money(self) -> Decimal | None:
        return self._money(self.unrealized)

    @property
    def trade_unrealized_money(self) -> Decimal | None:
        return self._money(self.trade_unrealized)

    @property
    def value_money(self) -> Decimal | None:
        return self._money(self.value)

    def _money(self, dollars: Decimal | None) -> Decimal | None:
        return None if dollars is None or self.rate is None else rounded(dollars * self.rate)

    @property
    def is_stale(self) -> bool:
        return self.quote is None or self.quote.time_ms < time.time() * 1000 - STALE_MS

    def as_answer(self) -> PositionRow:
        position = self.position
        return {
            "account": str(position.account_id),
            "market": position.market,
            "symbol": position.symbol,
            "position_side": position.position_side,
            "trade": self.trade_id,
            "quantity": _text(position.quantity),
            "average_price": _text(position.average_price),
            "realized_gross": _text(position.realized_gross),
            "fees": _text(position.fees),
            "funding": _text(position.funding),
            "price": _text(self.quote.price if self.quote else None),
            "price_time": self.quote.time_ms if self.quote else None,
            "stale": self.is_stale,
            "trade_quantity": _text(position.trade_quantity),
            "stack_quantity": _text(position.stack_quantity),
            "cost": _text(position.cost),
            "unrealized": _text(self.unrealized),
            "unrealized_money": _text(self.unrealized_money),
            "trade_unrealized_money": _text(self.trade_unrealized_money),
            "value": _text(self.value),
            "value_money": _text(self.value_money),
        }


def value_positions(user: User, account: str = "") -> list[Valued]:
    """Of one account, or of all of a user's."""
    rows = OpenPosition.objects.visible_to(user).of_account(account).exclude(quantity=0)
    return _value(rows)


def listeners() -> list[int]:
    """Users who hear the topic `pnl`; who stopped is told anew when they are back."""
    users = live.listeners("pnl")
    for gone in set(_last_told) - users:
        del _last_told[gone]
    return sorted(users)


def tell(users: Collection[int]) -> None:
    """Each of these users' open positions on the topic `pnl`, when something has moved."""
    rows = OpenPosition.objects.filter(account__venue=settings.VENUE, account__user__in=users)
    valued: dict[int, list[Valued]] = {}
    for item in _value(rows.exclude(quantity=0)):
        valued.setdefault(item.position.account.user_id, []).append(item)
    now_ms = int(time.time() * 1000)
    for user_id, items in valued.items():
        data = as_answer(items)
        if _last_told.get(user_id) != data:
            _last_told[user_id] = data
            live.tell(user_id, "pnl", "all", now_ms, data)
    for user_id in set(users) & set(_last_told) - set(valued):
        del _last_told[user_id]
        live.tell(user_id, "pnl", "all", now_ms, as_answer([]))


def as_answer(items: Iterable[Valued]) -> Valuation:
    """Positions, and the sum in the report currency of those that have one."""
    positions = list(items)
    known = [item.unrealized_money for item in positions if item.unrealized_money is not None]
    return {
        "positions": [item.as_answer() for item in positions],
        "unrealized_money": _text(sum(known, Decimal(0))),
        "unknown": len(positions) - len(known),
    }


def _value(rows: QuerySet[OpenPosition]) -> list[Valued]:
    positions = list(rows.select_related("account__user").order_by("market", "symbol", "pk"))
    coins = {row.base for row in positions if row.market == Market.SPOT}
    coins |= {row.quote for row in positions}
    coins |= {row.account.user.report_currency for row in positions}
    worths = dollars_now(coins)
    marks = newest_prices({(row.market, row.symbol) for row in positions})
    trades = _open_trades({row.account_id for row in positions})
    return [_valued(row, marks, worths, trades.get(_place(row))) for row in positions]


def _open_trades(accounts: Collection[Any]) -> dict[tuple[Any, ...], int]:
    open_ones = Trade.objects.filter(account__in=accounts, closed_at=None)
    return {_place(trade): trade.pk for trade in open_ones}


def _place(row: OpenPosition | Trade) -> tuple[Any, ...]:
    """A coin has one open trade, a contract one a side."""
    name = row.base if row.market == Market.SPOT else row.symbol
    return row.account_id, row.market, name, row.position_side


def _valued(
    row: OpenPosition, marks: dict[Pair, Quote], worths: dict[str, Quote], trade_id: int | None
) -> Valued:
    """After the entry fees of what is open. A coin is worth the same wherever it is shown."""
    if row.market == Market.SPOT:
        quote, unit = worths.get(row.base), Decimal(1)
    else:
        quote = marks.get((row.market, row.symbol))
        settled = worths.get(row.quote)
        unit = settled.price if settled else Decimal(1)
    unrealized = own = value = None
    if quote is not None:
        value = rounded(row.quantity * quote.price * unit)
        if row.market == Market.SPOT:
            unrealized = rounded(value - row.cost - row.entry_fees)
            own = rounded(row.trade_quantity * quote.price - row.trade_cost - row.trade_fees)
        elif row.average_price is not None:
            gained = (quote.price - row.average_price) * row.quantity
            unrealized = own = rounded((gained - row.entry_fees) * unit)
    trade_unrealized = None if trade_id is None else own
    currency = worths.get(row.account.user.report_currency)
    rate = 1 / currency.price if currency and currency.price else None
    return Valued(row, trade_id, quote, unrealized, value, rate, trade_unrealized)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
