"""What one traded and what came of it, as pages, the API and files tell it."""

from typing import Any, NotRequired, TypedDict

from lib.openapi import Moment, Money


class TradeRow(TypedDict):
    """One round trip, flat to flat. `…_money` is in the report currency."""

    id: int
    key: str
    account: str
    market: str
    symbol: str
    base: str
    quote: str
    direction: str
    position_side: str
    opened: Moment
    closed: Moment | None
    quantity: Money
    entry_price: Money | None
    exit_price: Money | None
    gross: Money
    fees: Money
    funding: Money
    net: Money
    gross_money: Money | None
    fees_money: Money | None
    funding_money: Money | None
    net_money: Money | None
    rate: Money | None
    exchange_realized: Money | None
    percent: Money | None
    r: Money | None
    r_by: str | None
    fills_count: int
    maker_share: Money
    flow: str
    flow_share: Money | None
    flow_window: str | None
    flow_basis: str | None
    worst_to: Money | None
    best_to: Money | None
    worst: Money | None
    best: Money | None
    efficiency: Money | None
    after_5m: Money | None
    after_1h: Money | None
    slippage: Money | None
    note: str
    setup: str | None
    tags: list[str]
    mistakes: list[str]
    emotion: str
    rating: int | None
    planned_entry: Money | None
    initial_stop: Money | None
    stop_by: str | None
    stop_at: Moment | None
    target: Money | None
    stop_moves: str
    planned_stop: Money | None
    planned_target: Money | None
    reviewed: bool
    by_hand: str
    kind: str
    ended_by: str
    apart: bool
    pairs: list[str]


class FillFlowAnswer(TypedDict):
    """The order flow before a fill, by window; `why` says what is not known."""

    basis: str
    window: str
    windows: dict[str, Any]
    why: dict[str, Any]
    share: Money | None
    bid: Money | None
    ask: Money | None
    day_high: Money | None
    day_low: Money | None
    slippage: Money | None
    final: bool


class TradeFillRow(TypedDict):
    id: int
    trade_id: int
    order_id: int
    time: Moment
    side: str
    entry: bool
    price: Money
    quantity: Money
    fee: Money
    fee_asset: str
    maker: bool
    flow: FillFlowAnswer | None


class RealizedRow(TypedDict):
    """One match: a lot and what closed it."""

    id: int
    trade: int | None
    account: str
    market: str
    symbol: str
    asset: str
    kind: str
    apart: Money
    net_money: Money | None
    opened_by: str
    closed_by: str
    opened: Moment | None
    closed: Moment
    quantity: Money
    entry_price: Money | None
    exit_price: Money | None
    gross: Money
    fees: Money
    net: Money


ProtectionStep = TypedDict(
    "ProtectionStep",
    {
        "kind": str,
        "price": Money | None,
        "quantity": Money | None,
        "from": Moment,
        "to": Moment | None,
        "order": str,
        "status": str,
    },
)


class ProtectionAnswer(TypedDict):
    stop: Money | None
    stop_at: Moment | None
    target: Money | None
    target_at: Moment | None
    moves: str
    path: list[ProtectionStep]
    stop_history: list[Any]


class TradeWhole(TradeRow):
    fills: list[TradeFillRow]
    realized: list[RealizedRow]
    protection: ProtectionAnswer


class BeingComputed(TypedDict):
    """The book is large: it is computed behind the scenes."""

    detail: str


class SumsAnswer(TypedDict):
    """In the report currency; a rate without a value says why in a word."""

    count: int
    wins: int
    losses: int
    net: Money
    gross: Money
    fees: Money
    funding: Money
    income: Money
    results: Money
    stack: Money
    apart: Money
    traded: Money
    win_rate: str
    profit_factor: str
    expectancy: str
    best: Money | None
    worst: Money | None
    unpriced: int


class Summary(SumsAnswer):
    currency: str


class CalendarDay(SumsAnswer):
    day: str


class EquityPoint(TypedDict):
    day: str
    net: Money
    equity: Money
    drawdown: Money


class DashboardAnswer(TypedDict):
    currency: str
    day: str
    today: SumsAnswer
    week: SumsAnswer
    month: SumsAnswer
    all: SumsAnswer
    flow: dict[str, SumsAnswer]
    equity: list[EquityPoint]
    to_review: int
    differences: int


class GroupRow(TypedDict):
    """`low` and `high` bound the mean with 95 %."""

    name: str
    count: int
    net: Money
    mean: Money
    low: Money | None
    high: Money | None
    win_rate: str
    win_low: Money
    win_high: Money
    profit_factor: str
    payoff: str
    mean_r: str
    r_count: int
    fees: Money
    hold_seconds: int
    few: bool


class FlowBasis(TypedDict):
    basis: str
    window: str
    count: int


class FindingRow(TypedDict):
    text: str
    count: int
    good: bool


class MatrixLine(TypedDict):
    """A line of a matrix: `name` and `cells`."""

    name: str
    cells: list[GroupRow | None]


class ReportAnswer(TypedDict):
    """Rows are groups; with `across` lines of a matrix."""

    by: str
    flow_bases: list[FlowBasis]
    rows: list[GroupRow] | list[MatrixLine]
    count: NotRequired[int]
    findings: NotRequired[list[FindingRow]]
    across: NotRequired[str]
    columns: NotRequired[list[str]]


class MissedRow(TypedDict):
    symbol: str
    time: Moment
    share: Money
    price: Money
    first_id: int | None
    last_id: int | None


class SetupRow(TypedDict):
    """`taken` and `missed` are null without a condition on the flow."""

    name: str
    rules: Any
    conditions: Any
    taken: list[int] | None
    missed: list[MissedRow] | None
