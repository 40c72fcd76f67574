"""What an account's rows say, each with its amounts and its moment."""

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Literal

from tests.money.worth import split_symbol


@dataclass(frozen=True)
class Fill:
    market: Literal["spot", "usdm"]
    symbol: str
    id: int
    side: str
    price: Fraction
    quantity: Fraction
    fee: Fraction
    fee_coin: str
    time: datetime
    # what the exchange says it realised; None where it says nothing
    realized: Fraction | None = None
    position_side: str = "BOTH"

    @property
    def base(self) -> str:
        return split_symbol(self.symbol)[0]

    @property
    def quote(self) -> str:
        return split_symbol(self.symbol)[1]

    @property
    def amount(self) -> Fraction:
        return self.price * self.quantity

    @property
    def signed(self) -> Fraction:
        return self.quantity if self.side == "BUY" else -self.quantity

    @property
    def given(self) -> tuple[str, Fraction]:
        return (self.quote, self.amount) if self.side == "BUY" else (self.base, self.quantity)

    @property
    def got(self) -> tuple[str, Fraction]:
        return (self.base, self.quantity) if self.side == "BUY" else (self.quote, self.amount)


@dataclass(frozen=True)
class Change:
    """One coin for another without a pair."""

    kind: Literal["convert", "dust", "swap"]
    given: tuple[str, Fraction]
    got: tuple[str, Fraction]
    time: datetime


@dataclass(frozen=True)
class Flow:
    """One coin in (amount > 0) or out (amount < 0)."""

    kind: Literal["opening", "deposit", "income", "withdrawal", "network_fee"]
    coin: str
    amount: Fraction
    time: datetime


@dataclass(frozen=True)
class Payment:
    """A row of the futures income."""

    kind: str
    coin: str
    symbol: str
    amount: Fraction
    time: datetime


Row = Fill | Change | Flow | Payment


def moment(text: str | int) -> datetime:
    if isinstance(text, int):
        return datetime.fromtimestamp(text / 1000, UTC)
    return datetime.fromisoformat(text)
