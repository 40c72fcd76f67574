"""What an account's rows add up to, asset by asset, and what the exchange reports."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, F, Min, Q, Sum, When

from accounts.models import ExchangeAccount
from journal.books.movements import conversions_of, is_whole
from journal.models import (
    Balance,
    Book,
    Fill,
    Income,
    ManualFill,
    Market,
    OpenPosition,
    Payment,
    Transfer,
)
from lib.cash import CASH, own_name

ZERO = Decimal(0)
WIDE = DecimalField(max_digits=80, decimal_places=30)
BUY = Q(side="BUY")
Held = dict[str, Decimal]


def of_money(mine: Q) -> Held:
    """Of every dollar coin and currency: fills, conversions, payments, and what contracts made by
    the exchange's own rule."""
    held: Held = defaultdict(lambda: ZERO)
    for model in (Fill, ManualFill):
        _add_fills(held, model, mine)
    for pair in conversions_of(mine):
        if is_whole(pair.rows):
            for row in pair.rows:
                held[own_name(row.asset)] += row.amount
    # a result of unknown fills, a deposit, …: as the ledger has taken it; what of a contract ended
    # it is in its profit already
    _add(held, Payment.objects.filter(mine), "asset", Sum("quantity"))
    for name, realized in (
        Book.objects.filter(mine, market=Market.USDM)
        .exclude(exchange_realized=0)
        .values_list("name", "exchange_realized")
    ):
        fill = Fill.objects.filter(mine, market=Market.USDM, symbol=name).first()
        held[fill.quote if fill else "USDT"] += realized
    return {asset: amount for asset, amount in held.items() if asset in CASH and amount}


def of_account(account: ExchangeAccount) -> Held:
    """Money and coins of one account, as calculated."""
    mine = Q(account=account)
    held = of_money(mine)
    coins = OpenPosition.objects.filter(mine, market=Market.SPOT)
    for asset, quantity in coins.values_list("base", "quantity"):
        held[asset] = held.get(asset, ZERO) + quantity
    return held


def reported(mine: Q) -> tuple[Held, list[ExchangeAccount]]:
    """By the exchange, all wallets together, and the accounts that it says nothing of."""
    held: Held = defaultdict(lambda: ZERO)
    rows = Balance.objects.filter(mine)
    for asset, free, locked in rows.values_list("asset", "free", "locked"):
        held[own_name(asset)] += free + locked
    told = set(rows.values_list("account", flat=True).distinct())
    accounts = Book.objects.filter(mine).order_by().values_list("account", flat=True).distinct()
    silent = ExchangeAccount.objects.filter(pk__in=set(accounts) - told)
    return dict(held), list(silent)


def since(mine: Q) -> datetime | None:
    """When the first row that is kept happened, of any source."""
    firsts = [
        model.objects.filter(mine).aggregate(first=Min("time"))["first"]
        for model in (Fill, ManualFill, Transfer, Income)
    ]
    return min((first for first in firsts if first is not None), default=None)


def _add_fills(held: Held, model: Any, mine: Q) -> None:
    spot = model.objects.filter(mine, market=Market.SPOT)
    value = F("quote_quantity") if model is Fill else F("price") * F("quantity")
    _add(held, spot, "base", Sum(_signed(F("quantity"), 1)))
    _add(held, spot, "quote", Sum(_signed(value, -1)))
    paid = model.objects.filter(mine).exclude(fee_asset="").exclude(fee=0)
    _add(held, paid, "fee_asset", Sum("fee"), sign=-1)


def _signed(amount: Any, of_a_purchase: int) -> Case:
    plus = F("quantity") * 0 + amount
    if of_a_purchase > 0:
        return Case(When(BUY, then=plus), default=-1 * plus, output_field=WIDE)
    return Case(When(BUY, then=-1 * plus), default=plus, output_field=WIDE)


def _add(held: Held, rows: Any, name: str, total: Any, sign: int = 1) -> None:
    for asset, amount in (
        rows.order_by().values(name).annotate(total=total).values_list(name, "total")
    ):
        held[own_name(asset)] += sign * (amount or ZERO)
