"""Accounts with fills, without an exchange behind them: what the pages and selectors read."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

from accounts.models import ExchangeAccount, User
from journal.books import rebuilding
from journal.models import Fill, Market
from journal.sync.saving import save_fills

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def make_account(user: User, label: str = "main", **more: Any) -> ExchangeAccount:
    return ExchangeAccount.objects.create(
        id=uuid.uuid4(),
        user=user,
        venue="simulator",
        label=label,
        key_kind="hmac",
        api_key=b"x",
        api_secret=b"x",
        kek_id=1,
        api_key_hash=f"hash {label} {user.pk}",
        last_four="abcd",
        state="live",
        **more,
    )


def make_fill(account: ExchangeAccount, number: int, side: str, price: str, **more: Any) -> Fill:
    """Minutes apart; `number` is the trade id."""
    quantity = D(more.pop("quantity", "1"))
    values: dict[str, Any] = {
        "market": Market.SPOT,
        "symbol": "BTCUSDT",
        "base": "BTC",
        "quote": "USDT",
        "fee": D("0.1"),
        "fee_asset": "USDT",
        "is_maker": False,
        "time": START + timedelta(minutes=number),
        "source": "rest",
        **more,
    }
    return Fill(
        account=account,
        trade_id=number,
        order_id=number,
        side=side,
        price=D(price),
        quantity=quantity,
        quote_quantity=D(price) * quantity,
        **values,
    )


def trades_of(account: ExchangeAccount, *fills: Fill) -> None:
    """Saved, and computed."""
    save_fills(account, list(fills))
    rebuilding.rebuild_due(account)


def some_trades(account: ExchangeAccount) -> None:
    """A gain of 9.8, a loss of 5.2, a short futures gain, and one that is open."""
    usdm = {"market": Market.USDM, "realized": D(0)}
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100"),
        make_fill(account, 2, "SELL", "110"),
        make_fill(account, 11, "BUY", "100"),
        make_fill(account, 12, "SELL", "95"),
        make_fill(account, 21, "SELL", "200", **usdm),
        make_fill(account, 22, "BUY", "190", **{**usdm, "realized": D(10)}),
        make_fill(account, 31, "BUY", "105"),
    )
