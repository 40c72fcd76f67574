"""Binance's JSON of an account -> our rows, unsaved. The only place of the journal that knows its
words (reference: binance-spot-api-docs rest-api.md, USD-M REST, wallet endpoints, 2026)."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.models import ExchangeAccount
from journal.models import (
    Fill,
    FuturesPosition,
    Income,
    Market,
    Source,
    Transfer,
    Wallet,
)
from journal.sync.coins import Coins
from lib.dates import from_ms

Json = dict[str, Any]
Kind = Transfer.Kind
# A hedge-mode account says LONG or SHORT; everybody else BOTH.
BOTH = "BOTH"
# walletType of deposits and withdrawals
WALLETS: dict[Any, Wallet] = {0: Wallet.SPOT, 1: Wallet.FUNDING}
# A withdrawal that did not happen: cancelled, rejected, failed.
ENDED = {1, 3, 5}


def spot_fill(account: ExchangeAccount, row: Json, coins: Coins) -> Fill:
    return Fill(
        account=account,
        market=Market.SPOT,
        symbol=row["symbol"],
        trade_id=row["id"],
        order_id=row["orderId"],
        base=coins[0],
        quote=coins[1],
        side="BUY" if row["isBuyer"] else "SELL",
        price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]),
        quote_quantity=Decimal(row["quoteQty"]),
        fee=Decimal(row["commission"]),
        fee_asset=row["commissionAsset"] or "",
        is_maker=row["isMaker"],
        time=from_ms(row["time"]),
        source=Source.REST,
    )


def usdm_fill(account: ExchangeAccount, row: Json, coins: Coins) -> Fill:
    return Fill(
        account=account,
        market=Market.USDM,
        symbol=row["symbol"],
        trade_id=row["id"],
        order_id=row["orderId"],
        base=coins[0],
        quote=coins[1],
        side=row["side"],
        position_side=row.get("positionSide", BOTH),
        price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]),
        quote_quantity=Decimal(row["quoteQty"]),
        fee=Decimal(row["commission"]),
        fee_asset=row["commissionAsset"] or "",
        realized=Decimal(row["realizedPnl"]),
        is_maker=row["maker"],
        time=from_ms(row["time"]),
        source=Source.REST,
    )


def income(account: ExchangeAccount, row: Json) -> Income:
    return Income(
        account=account,
        kind=row["incomeType"],
        external_id=str(row["tranId"]),
        asset=row["asset"],
        symbol=row.get("symbol") or "",
        amount=Decimal(row["income"]),
        time=from_ms(row["time"]),
        source=Source.REST,
    )


def position(account: ExchangeAccount, row: Json, config: Json, now: datetime) -> FuturesPosition:
    leverage = config.get("leverage") or row.get("leverage")
    return FuturesPosition(
        account=account,
        symbol=row["symbol"],
        position_side=row.get("positionSide", BOTH),
        quantity=Decimal(row["positionAmt"]),
        entry_price=Decimal(row["entryPrice"]),
        mark_price=Decimal(row["markPrice"]),
        liquidation_price=Decimal(row.get("liquidationPrice") or "0"),
        unrealized=Decimal(row.get("unRealizedProfit") or row.get("unrealizedProfit") or "0"),
        margin=Decimal(row.get("initialMargin") or row.get("isolatedMargin") or "0"),
        margin_asset=row.get("marginAsset") or "USDT",
        margin_type=str(config.get("marginType") or row.get("marginType") or "").lower(),
        leverage=int(leverage) if leverage else None,
        updated_at=now,
    )


# --- what is no order ---------------------------------------------------------------------------


def deposit(account: ExchangeAccount, row: Json) -> Transfer | None:
    """None for one that is in no balance (pending, rejected)."""
    if row["status"] not in {1, 6}:
        return None
    return _transfer(
        account,
        Kind.DEPOSIT,
        row["id"],
        row["coin"],
        Decimal(row["amount"]),
        from_ms(row.get("completeTime") or row["insertTime"]),
        info=row.get("network", ""),
        wallet=WALLETS.get(row.get("walletType"), Wallet.SPOT),
    )


def withdrawal(account: ExchangeAccount, row: Json) -> Transfer | None:
    """`amount` is without the fee; None for one that was cancelled, rejected or has failed."""
    if row["status"] in ENDED:
        return None
    fee = Decimal(row.get("transactionFee") or "0")
    return _transfer(
        account,
        Kind.WITHDRAWAL,
        row["id"],
        row["coin"],
        -Decimal(row["amount"]) - fee,
        _utc(row["applyTime"]),
        fee=fee,
        info=row.get("network", ""),
        wallet=WALLETS.get(row.get("walletType"), Wallet.SPOT),
    )


def converts(account: ExchangeAccount, row: Json) -> list[Transfer]:
    if row.get("orderStatus", "SUCCESS") != "SUCCESS":
        return []
    at, name = from_ms(row["createTime"]), str(row["orderId"])
    info = f"{row['fromAsset']} → {row['toAsset']}"
    return [
        _transfer(
            account,
            Kind.CONVERT,
            name,
            row["fromAsset"],
            -Decimal(row["fromAmount"]),
            at,
            info=info,
        ),
        _transfer(
            account, Kind.CONVERT, name, row["toAsset"], Decimal(row["toAmount"]), at, info=info
        ),
    ]


def dust(account: ExchangeAccount, row: Json) -> list[Transfer]:
    """A batch: each coin that went, and what came for it, its fee taken off already: BNB, unless
    the row names another coin (Binance converts dust into others since 2025-12). A coin that is in
    the batch several times gets a number, by its position among its likes."""
    halves = []
    seen: Counter[str] = Counter()
    for item in row["userAssetDribbletDetails"]:
        coin = item["fromAsset"]
        target = _named(item) or _named(row) or "BNB"
        name = f"{row['transId']}-{item['transId']}-{coin}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name}-{seen[name]}"
        at = from_ms(item.get("operateTime") or row["operateTime"])
        gained, fee = Decimal(item["transferedAmount"]), Decimal(item["serviceChargeAmount"])
        info = f"{coin} → {target}"
        halves += [
            _transfer(account, Kind.DUST, name, coin, -Decimal(item["amount"]), at, info=info),
            _transfer(account, Kind.DUST, name, target, gained, at, fee=fee, info=info),
        ]
    return halves


def _named(row: Json) -> str:
    """The coin that dust became, where the row says so."""
    return next((str(row[name]) for name in ("targetAsset", "toAsset") if row.get(name)), "")


def dividend(account: ExchangeAccount, row: Json) -> Transfer:
    """Direction 1 is paid, -1 (once 0) taken back. Any other is kept with its words and moves
    nothing: what it means nobody has said."""
    amount, info = Decimal(row["amount"]), str(row.get("enInfo") or "")
    direction = row.get("direction", 1)
    if direction in {-1, 0}:
        amount = -amount
    elif direction != 1:
        amount, info = Decimal(0), f"direction {direction}: {amount} {info}"
    name = str(row.get("id") or row["tranId"])  # several payouts may share one tranId
    return _transfer(
        account, Kind.DIVIDEND, name, row["asset"], amount, from_ms(row["divTime"]), info=info
    )


def internal(account: ExchangeAccount, row: Json) -> Transfer | None:
    """Between our spot wallet and another one; `type` names both, spot as MAIN."""
    if row.get("status", "CONFIRMED") != "CONFIRMED":
        return None
    leaves = row["type"].startswith("MAIN_")
    amount = Decimal(row["amount"])
    return _transfer(
        account,
        Kind.INTERNAL,
        str(row["tranId"]),
        row["asset"],
        -amount if leaves else amount,
        from_ms(row["timestamp"]),
        info=row["type"],
    )


def _transfer(
    account: ExchangeAccount,
    kind: Kind,
    name: object,
    asset: str,
    amount: Decimal,
    at: datetime,
    *,
    fee: Decimal = Decimal(0),
    info: str = "",
    wallet: str = Wallet.SPOT,
) -> Transfer:
    return Transfer(
        account=account,
        kind=kind,
        wallet=wallet,
        external_id=str(name)[:80],
        asset=asset,
        amount=amount,
        fee=fee,
        time=at,
        info=info[:120],
        source=Source.REST,
    )


def _utc(text: str) -> datetime:
    """`2026-11-21 10:00:00`, in UTC."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
