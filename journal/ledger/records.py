"""What goes into the ledger and what comes out of it.

Amounts are Decimal. `time` is anything that can be compared: a datetime, epoch ms; lengths of time
(60 days, the hour of a settlement) are only looked at where it is a datetime. Ids are unique within
one account, market and symbol, so that the same row counts once however often it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Any, NamedTuple

# Products of 8-place decimals are exact far below this; only divisions round, at the 60th digit.
PRECISION = Context(prec=60)
ZERO = Decimal(0)
ONE = Decimal(1)
MARKETS = ("spot", "usdm", "coinm")
Number = Decimal | int | str
Id = str | int


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


def _expect(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{name}: expected one of {tuple(known)}, was {value!r}")


# --- in -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fill:
    """One execution. `quantity` is in the base asset, in contracts for `coinm`, whose contracts are
    worth `contract_size` of the quote currency each. `fees` are further (amount, asset) pairs; a
    negative fee is a rebate. `amount` is the quote value as the exchange booked it, where that is
    not price x quantity to the last digit; `realized` what it booked as profit (futures)."""

    id: Id
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
    contract_size: Decimal = ONE
    fees: Sequence[tuple[Decimal, str]] = ()
    order_id: Id | None = None
    amount: Decimal | None = None
    realized: Decimal | None = None

    def __post_init__(self) -> None:
        if self.side not in ("BUY", "SELL"):
            raise ValueError(f"side: expected BUY or SELL, was {self.side!r}")
        _expect("market", self.market, MARKETS)
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

    @property
    def quote_value(self) -> Decimal:
        return self.price * self.quantity if self.amount is None else self.amount

    @property
    def all_fees(self) -> list[tuple[Decimal, str]]:
        """Without those of 0; a fee without an asset is one in the asset that the fill settles
        in."""
        settled_in = self.base if self.market == "coinm" else self.quote
        pairs = [(self.fee, self.fee_asset or settled_in), *self.fees]
        return [(amount, asset) for amount, asset in pairs if amount]


FUNDING_KINDS = ("funding", "special", "fee", "delivery")


@dataclass(frozen=True)
class Funding:
    """What a contract pays or costs without a fill: received when positive, paid when negative.

    `kind`: `funding` (of its hour), `special` (of its minute), `fee` (insurance, fees returned),
    `delivery` (the contract ended: what that paid). Without an account and a side it belongs to
    what is open; `rate` is that of the settlement where it is known, its sign says who pays."""

    id: Id
    time: Any
    symbol: str
    amount: Decimal
    asset: str
    account: str = ""
    position_side: str = "BOTH"
    kind: str = "funding"
    rate: Decimal | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", exact(self.amount, "amount"))
        _expect("kind", self.kind, FUNDING_KINDS)


TRANSFER_KINDS = ("outside", "income", "result", "funding", "opening")


@dataclass(frozen=True)
class Transfer:
    """An asset that came in (quantity > 0) or went out (< 0) without a trade; wallets of one's own
    are one account, so that moving between them is no transfer.

    `kind`: `outside` (deposit, withdrawal), `income` (interest, rebates, rewards; negative: taken
    back or paid), `result` (booked by the exchange for fills that are not known), `funding` (of a
    contract that nobody named), `opening` (was there before history begins). `cost` is the worth
    of the whole quantity, where it is known better than by its price; `fee` the part of a
    withdrawal that the network took."""

    id: Id
    time: Any
    asset: str
    quantity: Decimal
    cost: Decimal | None = None
    kind: str = "outside"
    fee: Decimal = ZERO
    account: str = ""

    def __post_init__(self) -> None:
        for name in ("quantity", "fee"):
            object.__setattr__(self, name, exact(getattr(self, name), name))
        _expect("kind", self.kind, TRANSFER_KINDS)
        if not self.quantity:
            raise ValueError("quantity: expected something other than 0")
        if self.cost is not None:
            object.__setattr__(self, "cost", exact(self.cost, "cost"))


CONVERSION_KINDS = ("convert", "dust", "swap")


@dataclass(frozen=True)
class Conversion:
    """One asset given for another; both quantities > 0. `others` are further legs of one that was
    told as a whole, given ones negative: dust of several coins, say. `swap`: the exchange renamed
    or redenominated a coin, cost and dates stay."""

    id: Id
    time: Any
    given: str
    given_quantity: Decimal
    received: str
    received_quantity: Decimal
    kind: str = "convert"
    account: str = ""
    others: tuple[tuple[str, Decimal], ...] = ()

    def __post_init__(self) -> None:
        _expect("kind", self.kind, CONVERSION_KINDS)
        for name in ("given_quantity", "received_quantity"):
            value = exact(getattr(self, name), name)
            if value <= 0:
                raise ValueError(f"{name}: expected more than 0, was {value}")
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Opening:
    """A contract that was held before its first known fill: signed quantity, average entry."""

    symbol: str
    quantity: Decimal
    price: Decimal
    time: Any
    market: str = "usdm"
    account: str = ""
    position_side: str = "BOTH"
    is_assumed: bool = False


class Rules(NamedTuple):
    """A remainder below `step_size`, or worth less than `min_notional`, counts as gone."""

    step_size: Decimal = ZERO
    min_notional: Decimal = ZERO


# --- out ----------------------------------------------------------------------------------------


class Match(NamedTuple):
    """One lot's part of an exit, in dollars (`coinm`: in the coin); net = gross - fees.

    `kind`: sold, spent (as the quote of another pair), converted, dusted, fee, paid, withdrawn;
    `exchange`: between two kinds of cash; `closed`: of a contract, delivered too. `apart` is the
    share of it (0 to 1) whose cost nobody knows."""

    opened_by: Id
    closed_by: Id
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    kind: str = "sold"
    time: Any = None
    opened_at: Any = None
    # the coin, or the contract's symbol
    asset: str = ""
    # the pair on which it left; empty for what has none
    symbol: str = ""
    apart: Decimal = ZERO


class Past(NamedTuple):
    """A trade's matches and fills of before the run, which went on from a checkpoint: how many, and
    their exact totals. `cost` is entry price x quantity, `out` what they left at (contracts)."""

    matches: int = 0
    fills: int = 0
    quantity: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    cost: Decimal = ZERO
    out: Decimal = ZERO
    apart: Decimal = ZERO
    pairs: tuple[str, ...] = ()


class Payment(NamedTuple):
    """Money that came or went without a match, at its worth in dollars: signed, in is positive.

    `kind`: deposit, withdrawal, opening, income, result (apart); funding and fee of a contract.
    `key` is the trade's that a funding or fee belongs to, empty for none."""

    kind: str
    id: Id
    time: Any
    asset: str
    quantity: Decimal
    worth: Decimal
    symbol: str = ""
    key: str = ""
    is_assumed: bool = False


@dataclass(frozen=True)
class Trade:
    """One trade as a person reads it; `closed_at` is None while it is open.

    `kind` is `trade`, or `stack` for what one order took from the coins kept beside. `key` stays
    the same whatever is added later. Prices are averages, amounts in dollars (`coinm`: in the
    coin); gross and fees are those of its matches, so an opening fee counts when its lot closes.
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
    fill_ids: tuple[Id, ...]
    kind: str = "trade"
    # the coin; the contract's symbol
    asset: str = ""
    matches: tuple[Match, ...] = ()
    # (symbol, fill id), as ids are unique within a symbol only
    fills: tuple[tuple[str, Id], ...] = ()
    # why it ended: a kind of match, `set_aside`; empty while it is open
    ended_by: str = ""
    # share of the closed quantity whose cost nobody knows
    apart: Decimal = ZERO
    # whether its first purchase set an older trade aside by itself
    ends_older: bool = False
    # what it had before the run: `matches` and `fills` are then those of the run alone
    past: Past = Past()

    @property
    def pairs(self) -> tuple[str, ...]:
        own = (symbol for symbol, _ in self.fills if symbol)
        return tuple(dict.fromkeys((*self.past.pairs, *own)))

    @property
    def is_apart(self) -> bool:
        """More than a hundredth of it is of unknown cost: in no statistic."""
        return self.apart > Decimal("0.01")


@dataclass(frozen=True)
class Position:
    """What is held now, trade and stack together; `quantity` is signed. `realized_gross`, `fees`
    and `funding` are those of the open trade to date: an opening fee counts at once."""

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
    asset: str = ""
    # the open trade's part, and the one kept beside (of a contract there is none)
    trade_quantity: Decimal = ZERO
    stack_quantity: Decimal = ZERO
    # dollars paid for all of it, and the fees paid with that
    cost: Decimal = ZERO
    entry_fees: Decimal = ZERO
    trade_cost: Decimal = ZERO
    trade_fees: Decimal = ZERO
    # by the exchange's own rule (contracts)
    exchange_entry: Decimal | None = None


@dataclass(frozen=True)
class Problem:
    """Something that its owner must know. Kinds: oversold, missing_price, duplicate (the same row
    twice), conflict (one id with two contents), funding_without_position, exchange_differs,
    history_begins_inside_a_position, result_without_fills, unknown_income, margin_not_supported.
    `asset` is the coin or contract that it is about."""

    kind: str
    fill_id: Id
    quantity: Decimal
    message: str
    asset: str = ""
    symbol: str = ""
    worth: Decimal = ZERO
    time: Any = None
