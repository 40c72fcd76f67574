"""What goes into the ledger and what comes out of it. Every amount is a Decimal; no float enters.

Amounts are in the quote asset of the symbol (settlement asset for futures). `time` is anything that
sorts (aware datetimes or epoch numbers), the same kind in one call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

ZERO = Decimal(0)
MARKETS = ("spot", "usdm", "coinm")
Number = Decimal | int | str


def exact(value: Number, name: str) -> Decimal:
    """Raises TypeError for a float and ValueError for text that is no finite number."""
    if isinstance(value, Decimal):
        result = value
    elif isinstance(value, float):
        raise TypeError(f"{name}: expected Decimal, int or text, was the float {value!r}")
    else:
        try:
            result = Decimal(value)
        except InvalidOperation as error:
            raise ValueError(f"{name}: expected a number, was {value!r}") from error
    if not result.is_finite():
        raise ValueError(f"{name}: expected a finite number, was {value!r}")
    return result


@dataclass(frozen=True)
class Fill:
    """One execution. `quantity` is in the base asset, in contracts for `coinm`, whose contracts are
    worth `contract_size` of the quote currency each. `fees` are further (amount, asset) pairs;
    a negative fee is a rebate. Unique by (account, market, symbol, id)."""

    id: str | int
    time: Any
    symbol: str
    base: str
    quote: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal = ZERO
    fee_asset: str | None = None
    market: str = "spot"
    account: str = ""
    position_side: str = "BOTH"
    contract_size: Decimal = Decimal(1)
    fees: Sequence[tuple[Decimal, str]] = ()

    def __post_init__(self) -> None:
        if self.side not in ("BUY", "SELL"):
            raise ValueError(f"side: expected BUY or SELL, was {self.side!r}")
        if self.market not in MARKETS:
            raise ValueError(f"market: expected one of {MARKETS}, was {self.market!r}")
        if self.position_side not in ("BOTH", "LONG", "SHORT"):
            raise ValueError(f"position_side: expected BOTH, LONG or SHORT: {self.position_side!r}")
        for name in ("price", "quantity", "fee", "contract_size"):
            value = getattr(self, name)
            if type(value) is not Decimal or not value.is_finite():
                object.__setattr__(self, name, exact(value, name))
        if self.quantity <= 0:
            raise ValueError(f"quantity: expected more than 0, was {self.quantity}")
        if self.price < 0 or (self.market == "coinm" and not self.price):
            raise ValueError(f"price: expected a price, was {self.price}")
        if self.fees:
            pairs = tuple((exact(amount, "fees"), asset) for amount, asset in self.fees)
            object.__setattr__(self, "fees", pairs)


@dataclass(frozen=True)
class Funding:
    """A funding payment of a perpetual: received when positive, paid when negative. Without an
    account and a side it is shared among what is open; Binance's own rows name no side."""

    id: str | int
    time: Any
    symbol: str
    amount: Decimal
    asset: str
    account: str = ""
    position_side: str = "BOTH"

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", exact(self.amount, "amount"))


@dataclass(frozen=True)
class Transfer:
    """An asset that came in (quantity > 0) or went out (< 0) without a trade. `cost` is what the
    whole quantity had cost, in the quote asset; None when nobody knows."""

    id: str | int
    time: Any
    asset: str
    quantity: Decimal
    cost: Decimal | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantity", exact(self.quantity, "quantity"))
        if not self.quantity:
            raise ValueError("quantity: expected something other than 0")
        if self.cost is not None:
            object.__setattr__(self, "cost", exact(self.cost, "cost"))


class Rules(NamedTuple):
    """A remainder below `step_size`, or worth less than `min_notional`, counts as flat."""

    step_size: Decimal = ZERO
    min_notional: Decimal = ZERO


class Match(NamedTuple):
    """A quantity that one fill opened and another closed; net = gross - fees."""

    opened_by: str | int
    closed_by: str | int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal


@dataclass(frozen=True)
class Trade:
    """One round trip, flat to flat; `closed_at` is None while it is open.

    `key` stays the same whatever is added later. Prices are averages over entries and exits; gross,
    fees and net are those of its matches, so an opening fee counts when its lot closes.
    net = gross - fees + funding.
    """

    key: str
    symbol: str
    direction: str
    opened_at: Any
    closed_at: Any
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal | None
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    fill_ids: tuple[str | int, ...]


@dataclass(frozen=True)
class Position:
    """What is open now; `quantity` is signed. `realized_gross`, `fees` and `funding` are those of
    the open round trip to date: an opening fee counts at once."""

    symbol: str
    quantity: Decimal
    average_price: Decimal | None
    realized_gross: Decimal
    fees: Decimal
    funding: Decimal
    account: str = ""
    market: str = "spot"
    position_side: str = "BOTH"
    # the part of `quantity` that came in at a known cost
    known_quantity: Decimal = ZERO


@dataclass(frozen=True)
class Problem:
    """Something that the ledger left out rather than guess. Kinds: oversold, unknown_cost,
    missing_price, duplicate (the same row twice), conflict (one id with two contents),
    funding_without_position, transfer_exceeds_holdings, transfer_without_symbol."""

    kind: str
    fill_id: str | int
    quantity: Decimal
    message: str
