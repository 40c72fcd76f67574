"""What an account really has and really made, from the exchange's own matching: no ledger."""

from simulator.accounts.records import SPOT, USDM, Account, Order
from simulator.amounts import to_text


def truth(account: Account) -> dict[str, object]:
    """Balances of both wallets, open positions, sums of realised profit, fees and funding of
    futures, and counts of everything, forgotten fills apart."""
    income: dict[str, int] = {}
    for item in account.movements:
        if item.kind == "income":
            kind = str(item.details["incomeType"])
            income[kind] = income.get(kind, 0) + item.amount
    fills = {market: [f for f in account.fills if f.market == market] for market in (SPOT, USDM)}
    commissions: dict[str, int] = {}
    for fill in fills[SPOT]:
        asset = fill.commission_asset
        commissions[asset] = commissions.get(asset, 0) + fill.commission
    forgotten = [fill for fill in account.fills if fill.is_forgotten]
    kinds = sorted({item.kind for item in account.movements})
    return {
        "uid": account.uid,
        "spot": {a: to_text(h.total) for a, h in sorted(account.holdings.items()) if h.total},
        "futures": {asset: to_text(amount) for asset, amount in account.wallet.items()},
        "positions": {
            name: {"amount": to_text(p.amount), "entry": to_text(p.entry)}
            for name, p in account.positions.items()
            if p.amount
        },
        "income": {kind: to_text(amount) for kind, amount in sorted(income.items())},
        "commissions": {asset: to_text(amount) for asset, amount in sorted(commissions.items())},
        "fills": {market: len(rows) for market, rows in fills.items()},
        "forgotten": [
            {
                "symbol": f.symbol,
                "id": f.id,
                "side": f.side,
                "price": to_text(f.price),
                "quantity": to_text(f.quantity),
                "time": f.time,
            }
            for f in forgotten
        ],
        "orders": _orders(account),
        "triggered": [_order(order) for order in account.orders.values() if order.algo_id],
        "movements": {kind: sum(item.kind == kind for item in account.movements) for kind in kinds},
    }


def _orders(account: Account) -> list[dict[str, object]]:
    """Every order that was ever placed, by the name it was placed with; a conditional one once,
    with what the order of its trigger executed."""
    placed = [_order(order) for order in account.orders.values() if not order.algo_id]
    for algo in account.algos.values():
        made = account.orders.get(algo.order_id)
        placed.append(
            {
                "client_id": algo.client_id,
                "status": algo.status,
                "executed": to_text(made.executed if made else 0),
                "market": USDM,
                "symbol": algo.symbol,
                "algo_id": algo.id,
                "side": algo.side,
                "type": algo.type,
                "quantity": to_text(algo.quantity),
            }
        )
    return placed


def _order(order: Order) -> dict[str, object]:
    return {
        "client_id": order.first_client_id,
        "status": order.status,
        "executed": to_text(order.executed),
        "market": order.market,
        "symbol": order.symbol,
        "order_id": order.id,
        "side": order.side,
        "type": order.type,
        "quantity": to_text(order.quantity),
    }
