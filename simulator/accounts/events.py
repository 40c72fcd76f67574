"""What the user streams say, in the words of spot and of futures. Sources: user-data-stream.md of
binance-spot-api-docs (2026), developers.binance.com user-data-streams of USD-M futures."""

from collections.abc import Iterable

from simulator.accounts.records import Account, Fill, Order, Position
from simulator.accounts.waiting import TRAILING, Algo, OrderList
from simulator.amounts import to_text

Event = dict[str, object]


def execution_report(order: Order, fill: Fill | None, kind: str, number: int, now: int) -> Event:
    """Spot. `kind` is the execution type: NEW, TRADE, CANCELED, REPLACED, EXPIRED."""
    is_cancel = kind == "CANCELED"
    report: Event = {
        "e": "executionReport",
        "E": now,
        "s": order.symbol,
        "c": f"cancel{order.id}" if is_cancel else order.client_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": to_text(order.quantity),
        "p": to_text(order.price),
        "P": to_text(order.stop_price),
        "F": "0.00000000",
        "g": order.list_id,
        "C": order.client_id if is_cancel else "",
        "x": kind,
        "X": order.status,
        "r": "NONE",
        "i": order.id,
        "l": to_text(fill.quantity if fill else 0),
        "z": to_text(order.executed),
        "L": to_text(fill.price if fill else 0),
        "n": to_text(fill.commission if fill else 0),
        "N": fill.commission_asset if fill else None,
        "T": fill.time if fill else order.updated,
        "t": fill.id if fill else -1,
        "I": number,
        "w": order.is_open and not order.is_pending and not order.is_waiting,
        "m": bool(fill and fill.is_maker),
        "M": False,
        "O": order.time,
        "Z": to_text(order.quote),
        "Y": to_text(fill.quote if fill else 0),
        "Q": to_text(order.quote_quantity),
        "V": order.self_trade_prevention,
    }
    if not order.is_pending:
        report["W"] = order.working_since or order.time
    if order.reason:
        report["eR"] = order.reason
    return report


def list_status(account: Account, group: OrderList, now: int) -> Event:
    """Spot: how an order list stands."""
    return {
        "e": "listStatus",
        "E": now,
        "s": group.symbol,
        "g": group.id,
        "c": group.contingency,
        "l": group.status,
        "L": group.order_status,
        "r": "NONE",
        "C": group.client_id,
        "T": group.updated,
        "O": [
            {"s": group.symbol, "i": number, "c": account.orders[number].client_id}
            for number in group.order_ids
        ],
    }


def account_position(account: Account, assets: Iterable[str], now: int) -> Event:
    return {
        "e": "outboundAccountPosition",
        "E": now,
        "u": account.updated,
        "B": [
            {
                "a": asset,
                "f": to_text(account.holding(asset).free),
                "l": to_text(account.holding(asset).locked),
            }
            for asset in sorted(set(assets))
        ],
    }


def balance_update(asset: str, amount: int, now: int) -> Event:
    return {"e": "balanceUpdate", "E": now, "a": asset, "d": to_text(amount), "T": now}


def order_trade_update(order: Order, fill: Fill | None, kind: str, now: int) -> Event:
    """Futures."""
    average = order.quote * 10**8 // order.executed if order.executed else 0
    event: Event = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": to_text(order.quantity),
        "p": to_text(order.price),
        "ap": to_text(average),
        "sp": to_text(order.stop_price),
        "x": kind,
        "X": order.status,
        "i": order.id,
        "l": to_text(fill.quantity if fill else 0),
        "z": to_text(order.executed),
        "L": to_text(fill.price if fill else 0),
        "T": fill.time if fill else order.updated,
        "t": fill.id if fill else 0,
        "b": "0",
        "a": "0",
        "m": bool(fill and fill.is_maker),
        "R": order.reduce_only,
        "wt": order.working_type,
        "ot": order.original_type or order.type,
        "ps": order.position_side,
        "cp": order.close_position,
        "rp": to_text(fill.realized if fill else 0),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": order.self_trade_prevention,
        "pm": "NONE",
        "gtd": order.good_till,
        "er": order.reason or "0",
    }
    if fill:
        event |= {"N": fill.commission_asset, "n": to_text(fill.commission)}
    return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": order.updated, "o": event}


def algo_update(algo: Algo, order: Order | None, now: int) -> Event:
    """Futures: a conditional order; `order` is what its trigger made."""
    average = order.quote * 10**8 // order.executed if order and order.executed else 0
    body: Event = {
        "caid": algo.client_id,
        "aid": algo.id,
        "at": "CONDITIONAL",
        "o": algo.type,
        "s": algo.symbol,
        "S": algo.side,
        "ps": algo.position_side,
        "f": algo.time_in_force,
        "q": to_text(algo.quantity),
        "X": algo.status,
        "ai": str(order.id) if order else "",
        "ap": to_text(average),
        "aq": to_text(order.executed if order else 0),
        "act": order.type if order else "0",
        "tp": to_text(algo.trigger_price),
        "p": to_text(algo.price),
        "V": algo.self_trade_prevention,
        "wt": algo.working_type,
        "pm": "NONE",
        "cp": algo.close_position,
        "pP": algo.price_protect,
        "R": algo.reduce_only,
        "tt": algo.triggered,
        "gtd": algo.good_till,
        "rm": algo.reason,
    }
    if algo.type == TRAILING:
        rate = to_text(algo.callback_rate).rstrip("0").rstrip(".")
        body |= {"AP": to_text(algo.activate_price), "cr": rate, "ia": algo.is_active}
    return {"e": "ALGO_UPDATE", "E": now, "T": algo.updated, "o": body}


def account_config(symbol: str, leverage: int, now: int) -> Event:
    """Futures: another leverage."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ac": {"s": symbol, "l": leverage}}


def account_update(
    account: Account,
    reason: str,
    assets: Iterable[str],
    positions: Iterable[Position],
    now: int,
    change: int = 0,
) -> Event:
    """Futures: what has changed, and why (ORDER, FUNDING_FEE, DEPOSIT, …)."""
    return {
        "e": "ACCOUNT_UPDATE",
        "E": now,
        "T": now,
        "a": {
            "m": reason,
            "B": [
                {
                    "a": asset,
                    "wb": to_text(account.wallet.get(asset, 0)),
                    "cw": to_text(account.wallet.get(asset, 0)),
                    "bc": to_text(change),
                }
                for asset in assets
            ],
            "P": [
                {
                    "s": p.symbol,
                    "pa": to_text(p.amount),
                    "ep": to_text(p.entry),
                    "bep": to_text(p.entry),
                    "cr": "0",
                    "up": "0",
                    "mt": "cross",
                    "iw": "0",
                    "ps": p.side,
                    "ma": "USDT",
                }
                for p in positions
            ],
        },
    }
