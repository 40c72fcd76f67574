"""What the exchange says of one's accounts, as the API tells it."""

from typing import Any, TypedDict

from lib.openapi import Moment, Money


class FillRow(TypedDict):
    id: int
    account: str
    market: str
    symbol: str
    trade_id: int
    order_id: int
    time: Moment
    side: str
    position_side: str
    price: Money
    quantity: Money
    quote_quantity: Money
    fee: Money
    fee_asset: str
    realized: Money | None
    maker: bool
    source: str
    flow_share: Money | None


class OrderRow(TypedDict):
    id: int
    account: str
    market: str
    symbol: str
    order_id: int
    client_id: str
    time: Moment
    changed: Moment
    side: str
    position_side: str
    type: str
    status: str
    price: Money
    stop_price: Money
    quantity: Money
    executed: Money
    quote_executed: Money | None
    average_price: Money | None
    reduce_only: bool
    closes_position: bool
    original_type: str
    list_id: int | None
    expiry_reason: str


class ConditionalOrderRow(TypedDict):
    id: int
    account: str
    market: str
    symbol: str
    algo_id: int
    client_id: str
    time: Moment
    changed: Moment
    triggered: Moment | None
    side: str
    position_side: str
    type: str
    status: str
    trigger_price: Money
    price: Money
    quantity: Money
    closes_position: bool
    reduce_only: bool
    working_type: str
    activate_price: Money | None
    callback_rate: Money | None
    made_order_id: int | None
    executed: Money | None
    average_price: Money | None
    reason: str


class TransferRow(TypedDict):
    id: int
    account: str
    kind: str
    external_id: str
    asset: str
    amount: Money
    fee: Money
    time: Moment
    info: str
    source: str
    wallet: str


class IncomeRow(TypedDict):
    id: int
    account: str
    kind: str
    external_id: str
    asset: str
    symbol: str
    amount: Money
    time: Moment


class BalanceRow(TypedDict):
    account: str
    wallet: str
    asset: str
    free: Money
    locked: Money
    total: Money
    updated: Moment


class DailyBalanceRow(TypedDict):
    account: str
    day: str
    wallet: str
    asset: str
    quantity: Money
    value_usd: Money | None


class PositionRow(TypedDict):
    """As the ledger has it, at the newest price."""

    account: str
    market: str
    symbol: str
    position_side: str
    trade: int | None
    quantity: Money | None
    average_price: Money | None
    realized_gross: Money | None
    fees: Money | None
    funding: Money | None
    price: Money | None
    price_time: Moment | None
    stale: bool
    trade_quantity: Money | None
    stack_quantity: Money | None
    cost: Money | None
    unrealized: Money | None
    unrealized_money: Money | None
    # of the open trade alone, without what is kept beside it
    trade_unrealized_money: Money | None
    value: Money | None
    value_money: Money | None


class ReportedPosition(TypedDict):
    """As the exchange reports it."""

    account: str
    symbol: str
    position_side: str
    quantity: Money
    entry_price: Money
    mark_price: Money
    liquidation_price: Money
    unrealized: Money
    margin: Money
    margin_asset: str
    margin_type: str
    leverage: int | None
    updated: Moment


class Valuation(TypedDict):
    positions: list[PositionRow]
    unrealized_money: Money | None
    unknown: int


class Positions(Valuation):
    reported: list[ReportedPosition]


HistoryRow = TypedDict(
    "HistoryRow",
    {
        "account": str,
        "kind": str,
        "market": str,
        "symbol": str,
        "reason": str,
        "from": Moment | None,
        "to": Moment | None,
        "cursor": int,
        "rows": int,
        "oldest": Moment | None,
        "complete": bool,
        "note": str,
        "checked": Moment | None,
        "holes": list[Any],
        "left_out": list[Any],
    },
)


class SyncRow(TypedDict):
    account: str
    state: str
    note: str
    values: dict[str, Any]
    done: int
    expected: int
    started: Moment | None
    finished: Moment | None
    since: str | None
    symbols: list[Any]
    unreadable: dict[str, Any]


class DifferenceRow(TypedDict):
    account: str
    wallet: str
    asset: str
    calculated: Money
    reported: Money
    difference: Money
    cause: str | None
    explanation: str | None
    detail: dict[str, Any]
    compared: Moment


class PaymentRow(TypedDict):
    id: int
    account: str
    market: str
    kind: str
    time: Moment
    asset: str
    symbol: str
    quantity: Money
    worth: Money | None
    money: Money | None
    trade: int | None
    assumed: bool
    external_id: str


class ProofReason(TypedDict):
    kind: str
    count: int
    worth: Money | None
    assets: list[str]
    text: str


class ProofAnswer(TypedDict):
    currency: str
    at: Moment
    since: Moment | None
    opening: Money
    worth: Money
    deposits: Money
    withdrawals: Money
    realised: Money
    unrealised: Money
    income: Money
    currency_effect: Money
    unexplained: Money
    difference: Money
    may_be_off: Money
    apart: Money
    taken_along: Money
    tax_realised: Money
    tax_unrealised: Money
    by_stated_costs: Money
    reasons: list[ProofReason]
