"""Binance's JSON of an account -> our rows, unsaved. The only place of the journal that knows its
words (reference: binance-spot-api-docs rest-api.md, USD-M REST, wallet endpoints, 2026)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.models import ExchangeAccount
from journal.models import (
    Fill,
    FuturesPosition,
    Income,
    Market,
    Order,
    Source,
    Transfer,
)
from lib.dates import from_ms
from market.models import Listing

Json = dict[str, Any]
Kind = Transfer.Kind
# A hedge-mode account says LONG or SHORT; everybody else BOTH.
BOTH = "BOTH"
# walletType of deposits and withdrawals; 0 is spot
FUNDING = 1
# A withdrawal that did not happen: cancelled, rejected, failed.
ENDED = {1, 3, 5}


def spot_fill(account: ExchangeAccount, row: Json, listing: Listing) -> Fill:
    return Fill(
        account=account, market=Market.SPOT, symbol=row["symbol"], trade_id=row["id"],
        order_id=row["orderId"], base=listing.base_asset, quote=listing.quote_asset,
        side="BUY" if row["isBuyer"] else "SELL", price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]), quote_quantity=Decimal(row["quoteQty"]),
        fee=Decimal(row["commission"]), fee_asset=row["commissionAsset"] or "",
        is_maker=row["isMaker"], time=from_ms(row["time"]), source=Source.REST,
    )  # fmt: skip


def usdm_fill(account: ExchangeAccount, row: Json, listing: Listing) -> Fill:
    return Fill(
        account=account, market=Market.USDM, symbol=row["symbol"], trade_id=row["id"],
        order_id=row["orderId"], base=listing.base_asset, quote=listing.quote_asset,
        side=row["side"], position_side=row.get("positionSide", BOTH),
        price=Decimal(row["price"]), quantity=Decimal(row["qty"]),
        quote_quantity=Decimal(row["quoteQty"]), fee=Decimal(row["commission"]),
        fee_asset=row["commissionAsset"] or "", realized=Decimal(row["realizedPnl"]),
        is_maker=row["maker"], time=from_ms(row["time"]), source=Source.REST,
    )  # fmt: skip


def spot_order(account: ExchangeAccount, row: Json) -> Order:
    return Order(
        account=account, market=Market.SPOT, symbol=row["symbol"], order_id=row["orderId"],
        client_id=row.get("clientOrderId", ""), side=row["side"], type=row["type"],
        time_in_force=row.get("timeInForce", ""), status=row["status"],
        price=Decimal(row["price"]), stop_price=Decimal(row.get("stopPrice") or "0"),
        quantity=Decimal(row["origQty"]), executed=Decimal(row["executedQty"]),
        time=from_ms(row["time"]), changed_at=from_ms(row["updateTime"]),
    )  # fmt: skip


def usdm_order(account: ExchangeAccount, row: Json) -> Order:
    found = spot_order(account, row)
    found.market = Market.USDM
    found.position_side = row.get("positionSide", BOTH)
    found.is_reduce_only = bool(row.get("reduceOnly"))
    return found


def income(account: ExchangeAccount, row: Json) -> Income:
    return Income(
        account=account, kind=row["incomeType"], external_id=str(row["tranId"]),
        asset=row["asset"], symbol=row.get("symbol") or "", amount=Decimal(row["income"]),
        time=from_ms(row["time"]), source=Source.REST,
    )  # fmt: skip


def position(account: ExchangeAccount, row: Json, config: Json, now: datetime) -> FuturesPosition:
    leverage = config.get("leverage") or row.get("leverage")
    return FuturesPosition(
        account=account, symbol=row["symbol"], position_side=row.get("positionSide", BOTH),
        quantity=Decimal(row["positionAmt"]), entry_price=Decimal(row["entryPrice"]),
        mark_price=Decimal(row["markPrice"]),
        liquidation_price=Decimal(row.get("liquidationPrice") or "0"),
        unrealized=Decimal(row.get("unRealizedProfit") or row.get("unrealizedProfit") or "0"),
        margin=Decimal(row.get("initialMargin") or row.get("isolatedMargin") or "0"),
        margin_asset=row.get("marginAsset") or "USDT",
        margin_type=str(config.get("marginType") or row.get("marginType") or "").lower(),
        leverage=int(leverage) if leverage else None, updated_at=now,
    )  # fmt: skip


# --- what is no order ---------------------------------------------------------------------------


def deposit(account: ExchangeAccount, row: Json) -> Transfer | None:
    """None for one that is not in the spot balance (pending, rejected, to the funding wallet)."""
    if row["status"] not in {1, 6} or row.get("walletType") == FUNDING:
        return None
    return _transfer(
        account, Kind.DEPOSIT, row["id"], row["coin"], Decimal(row["amount"]),
        from_ms(row.get("completeTime") or row["insertTime"]), info=row.get("network", ""),
    )  # fmt: skip


def withdrawal(account: ExchangeAccount, row: Json) -> Transfer | None:
    """`amount` is without the fee; None for one that was cancelled, rejected or has failed."""
    if row["status"] in ENDED or row.get("walletType") == FUNDING:
        return None
    fee = Decimal(row.get("transactionFee") or "0")
    return _transfer(
        account, Kind.WITHDRAWAL, row["id"], row["coin"], -Decimal(row["amount"]) - fee,
        _utc(row["applyTime"]), fee=fee, info=row.get("network", ""),
    )  # fmt: skip


def converts(account: ExchangeAccount, row: Json) -> list[Transfer]:
    if row.get("orderStatus", "SUCCESS") != "SUCCESS":
        return []
    at, name = from_ms(row["createTime"]), str(row["orderId"])
    info = f"{row['fromAsset']} → {row['toAsset']}"
    return [
        _transfer(account, Kind.CONVERT, name, row["fromAsset"], -Decimal(row["fromAmount"]), at,
                  info=info),
        _transfer(account, Kind.CONVERT, name, row["toAsset"], Decimal(row["toAmount"]), at,
                  info=info),
    ]  # fmt: skip


def dust(account: ExchangeAccount, row: Json) -> list[Transfer]:
    """A batch: each coin that went, and the BNB that came for it, its fee taken off already."""
    found = []
    for item in row["userAssetDribbletDetails"]:
        name = f"{row['transId']}-{item['transId']}-{item['fromAsset']}"
        at = from_ms(item.get("operateTime") or row["operateTime"])
        gained, fee = Decimal(item["transferedAmount"]), Decimal(item["serviceChargeAmount"])
        info = f"{item['fromAsset']} → BNB"
        found += [
            _transfer(account, Kind.DUST, name, item["fromAsset"], -Decimal(item["amount"]), at,
                      info=info),
            _transfer(account, Kind.DUST, name, "BNB", gained, at, fee=fee, info=info),
        ]  # fmt: skip
    return found


def dividend(account: ExchangeAccount, row: Json) -> Transfer:
    amount = Decimal(row["amount"]) * (-1 if row.get("direction") == 0 else 1)
    name = str(row.get("id") or row["tranId"])  # several payouts may share one tranId
    return _transfer(
        account, Kind.DIVIDEND, name, row["asset"], amount, from_ms(row["divTime"]),
        info=row.get("enInfo", ""),
    )  # fmt: skip


def internal(account: ExchangeAccount, row: Json) -> Transfer | None:
    """Between our spot wallet and another one; `type` names both, spot as MAIN."""
    if row.get("status", "CONFIRMED") != "CONFIRMED":
        return None
    leaves = row["type"].startswith("MAIN_")
    amount = Decimal(row["amount"])
    return _transfer(
        account, Kind.INTERNAL, str(row["tranId"]), row["asset"], -amount if leaves else amount,
        from_ms(row["timestamp"]), info=row["type"],
    )  # fmt: skip


def _transfer(
    account: ExchangeAccount, kind: Kind, name: object, asset: str, amount: Decimal, at: datetime,
    *, fee: Decimal = Decimal(0), info: str = "",
) -> Transfer:  # fmt: skip
    return Transfer(
        account=account, kind=kind, external_id=str(name)[:80], asset=asset, amount=amount,
        fee=fee, time=at, info=info[:120], source=Source.REST,
    )  # fmt: skip


def _utc(text: str) -> datetime:
    """`2026-11-21 10:00:00`, in UTC."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
