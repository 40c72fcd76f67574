"""What the endpoints of orders take and give."""

from typing import Annotated, Any, NotRequired, TypedDict
from uuid import UUID

from lib.openapi import Moment, Money, More

Amount = Annotated[
    str | int, More(description="Decimal text above zero (0.01); floats are refused.")
]
Market = Annotated[str, More(enum=["spot", "usdm"])]


class RiskAsked(TypedDict, total=False):
    """`stop`, and `money` or `percent` where the size comes from it."""

    stop: Amount
    money: Amount
    percent: Amount


class PlanAsked(TypedDict, total=False):
    setup: Annotated[str, More(maxLength=60)]
    note: Annotated[str, More(maxLength=2000)]


class OrderAsked(TypedDict):
    """One of `quantity`, `quote_quantity`, `risk` with money or percent says its size."""

    account: UUID
    market: Market
    symbol: Annotated[str, More(minLength=1, maxLength=40)]
    side: Annotated[str, More(enum=["BUY", "SELL"])]
    type: Annotated[str, "LIMIT, MARKET, STOP_MARKET, …: what the market knows."]
    price: NotRequired[Amount | None]
    stop_price: NotRequired[Annotated[str | int | None, "The order's own trigger."]]
    quantity: NotRequired[Amount | None]
    quote_quantity: NotRequired[Amount | None]
    risk: NotRequired[RiskAsked | None]
    reduce_only: NotRequired[bool]
    close_position: NotRequired[bool]
    position_side: NotRequired[Annotated[str, More(enum=["BOTH", "LONG", "SHORT"])]]
    time_in_force: NotRequired[str]
    targets: NotRequired[Annotated[list[Amount], More(maxItems=5)]]
    plan: NotRequired[PlanAsked | None]
    callback_rate: NotRequired[Amount | None]
    activate_price: NotRequired[Amount | None]
    good_till: NotRequired[Moment | None]
    working_type: NotRequired[Annotated[str, More(enum=["CONTRACT_PRICE", "MARK_PRICE"])]]
    override: NotRequired[
        Annotated[
            str,
            More(
                maxLength=300, description="Why an order is placed that a rule of one's own blocks."
            ),
        ]
    ]


class Note(TypedDict):
    """A warning or a problem; a filter is named with its value and the nearest valid one."""

    code: str
    detail: str
    field: NotRequired[str]
    filter: NotRequired[str]
    value: NotRequired[Any]
    nearest: NotRequired[Any]


class BracketRisk(TypedDict, total=False):
    """At most one of them."""

    money: Amount
    percent: Amount


class BracketRow(TypedDict):
    """`targets` are multiples of the risk."""

    name: Annotated[str, More(minLength=1, maxLength=60)]
    stop_percent: NotRequired[Amount | None]
    targets: NotRequired[Annotated[list[Amount], More(maxItems=5)]]
    risk: NotRequired[BracketRisk]


class BracketsAsked(TypedDict):
    """All of them: what is not named is taken away."""

    brackets: Annotated[list[BracketRow], More(maxItems=30)]


class BracketsAnswer(TypedDict):
    brackets: list[BracketRow]


class FlowNow(TypedDict):
    """Takers' value of the last five minutes; `share` of it on the order's side, -1 to 1."""

    window: str
    at: Moment
    buy: Money
    sell: Money
    share: Money | None
    verdict: Annotated[str, More(enum=["with", "mixed", "against", "unknown"])]


class OwnRecord(TypedDict):
    """One's closed trades of such moments: the same direction and flow, and the setup where one is
    chosen. `mean` is a trade's result in the report currency, `low` to `high` its 95 % range."""

    n: int
    wins: int
    mean: Money | None
    low: Money | None
    high: Money | None
    currency: str


class FeeParts(TypedDict):
    entry: Money
    exit: Money


class OrderPreview(TypedDict):
    """What an order would be; `fee` is both ways, `r` of each target. Amounts are null where
    nothing can be said."""

    quantity: Money | None
    notional: Money | None
    entry: Money | None
    mark: Money | None
    risk: Money | None
    fee: Money | None
    fees: FeeParts | None
    slippage: Money | None
    expected_price: Money | None
    is_deep: bool
    margin: Money | None
    liquidation: Money | None
    r: list[Money]
    flow: FlowNow | None
    record: OwnRecord | None
    leverage: NotRequired[int]
    liquidation_beyond_stop: NotRequired[Money]
    warnings: list[Note]
    problems: list[Note]


class LegRow(TypedDict):
    id: str
    client_id: str
    role: str
    state: str
    order: dict[str, Any]
    code: str
    detail: str


class PlacedAnswer(TypedDict):
    """The intent as it stands: accepted, with the exchange's order and what follows it."""

    id: str
    client_id: str
    state: str
    order: NotRequired[dict[str, Any]]
    legs: NotRequired[list[LegRow]]


class NotPlaced(TypedDict):
    """Refused or expired, with the exchange's code and our sentence; or why it cannot be."""

    code: str
    detail: str
    id: NotRequired[str]
    client_id: NotRequired[str]
    state: NotRequired[str]


class IntentRow(TypedDict):
    id: str
    client_id: str
    state: str
    body: dict[str, Any]
    history: list[Any]
    account: str
    market: str
    symbol: str
    side: str
    role: str
    parent: str | None
    plan: dict[str, Any]
    code: str
    detail: str
    made: Moment
    order: dict[str, Any]


class IntentWhole(IntentRow):
    """By itself, and as a list of one."""

    rows: list[IntentRow]
    next: str | None


class ChangeAsked(TypedDict, total=False):
    """At least one of them."""

    quantity: Amount
    price: Amount
    stop_price: Amount


class DoneAnswer(TypedDict):
    """`amended`, `replaced`, `cancelled`, `already_gone` or `under_way`."""

    result: str
    order: dict[str, Any]
    id: NotRequired[str]
    client_id: NotRequired[str]


class ChangeUnderWay(TypedDict):
    """The same change was asked for before and has not ended."""

    state: str


class CancelledAnswer(TypedDict):
    cancelled: list[dict[str, Any]]
    already_gone: list[dict[str, Any]]
    failed: list[dict[str, Any]]


class SwitchAsked(TypedDict, total=False):
    """What is not given stays; a cap of null is taken away."""

    on: bool
    until: Annotated[str | int, "ISO 8601 or epoch ms."]
    caps: Annotated[dict[str, Any] | None, "order, risk, day_loss, orders, distance, symbols."]


class SwitchAnswer(TypedDict):
    account: str
    on: bool
    until: Moment | None
    caps: dict[str, Any]
    ended_by: str


class StopAsked(TypedDict):
    account: Annotated[str, "An account's id, own, or all."]
    flatten: NotRequired[bool]


class StoppedRow(TypedDict):
    account: str
    trading: str
    cancelled: list[dict[str, Any]]
    already_gone: list[dict[str, Any]]
    failed: list[dict[str, Any]]
    under_way: NotRequired[list[str]]
    flattened: NotRequired[list[dict[str, Any]]]


class StopAnswer(TypedDict):
    """Sums over all accounts, and each one's own in `stopped`."""

    cancelled: list[dict[str, Any]]
    failed: list[dict[str, Any]]
    flattened: list[dict[str, Any]]
    stopped: NotRequired[list[StoppedRow]]
    state: NotRequired[str]


class CloseAsked(TypedDict):
    account: UUID
    symbol: str
    amount: Annotated[str | float, "Signed: the position, or the part of it that goes."]
    position_side: NotRequired[Annotated[str, More(enum=["BOTH", "LONG", "SHORT"])]]


class CloseAnswer(TypedDict):
    orders: list[dict[str, Any]]


class RuleRow(TypedDict):
    name: Annotated[
        str,
        More(enum=["day_loss", "day_trades", "pause", "hours", "tilt", "stop", "setups"]),
    ]
    value: dict[str, Any]
    mode: NotRequired[Annotated[str, More(enum=["warn", "block"])]]


class RulesAsked(TypedDict):
    """All of one's rules: what is not named is taken away."""

    rules: Annotated[list[RuleRow], More(maxItems=7)]


class StandingRule(TypedDict):
    rule: str
    mode: str
    detail: str


class RulesDay(TypedDict):
    """The day so far; `stands` is what would speak against a plain entry just now."""

    net: Money
    trades: int
    losses_in_a_row: int
    closed_at: Moment | None
    stands: list[StandingRule]


class BreakRow(TypedDict):
    id: str
    rule: str
    mode: str
    at: Moment
    detail: str
    reason: str
    intent: str
    symbol: str
    trade: int | None
    cost: Money | None


class RuleCost(TypedDict):
    rule: str
    breaks: int
    closed: int
    net: Money
    worst: Money | None


class RulesAnswer(TypedDict):
    rules: list[RuleRow]
    today: RulesDay
    breaks: list[BreakRow]
    by_rule: list[RuleCost]
