"""What an account and all of them are worth now: one sum for every page."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models import User
from journal.models import Balance, FuturesPosition, Market
from journal.services import valuing
from journal.services.live_prices import dollars_now
from lib.cash import own_name

ZERO = Decimal(0)
# parts of the allocation's bar beside "others"
SHOWN = 6


@dataclass(frozen=True)
class Holding:
    """One asset over all wallets; `price` and `value` in the report currency, None where no market
    says so. `parts` are the wallets' rows."""

    asset: str
    quantity: Decimal
    price: Decimal | None
    value: Decimal | None
    share: Decimal | None
    parts: Sequence[Balance]


@dataclass(frozen=True)
class Worth:
    """`total` is wallets and the open results of futures; None where the currency has no price.
    `unpriced` assets are in no sum."""

    holdings: list[Holding]
    total: Decimal | None
    by_account: dict[Any, Decimal]
    unpriced: list[str]
    positions: list[valuing.Valued]


@dataclass(frozen=True)
class Slice:
    """A part of the allocation, in per cent of the whole."""

    name: str
    share: Decimal
    at: Decimal
    number: int


@dataclass(frozen=True)
class Exposure:
    """`net` is what is long less what is short; `of_worth` how many times the whole worth is open
    on both sides; the nearest liquidation with its distance in per cent."""

    net: Decimal
    of_worth: Decimal | None
    nearest_symbol: str
    nearest: Decimal | None


def worth_of(user: User, account: str = "") -> Worth:
    """Of one account, or of all of them."""
    rows = Balance.objects.visible_to(user).of_account(account)
    balances = list(rows.select_related("account"))
    balances = [row for row in balances if row.total]
    currency = user.report_currency
    prices = dollars_now({currency, *(own_name(row.asset) for row in balances)})
    unit = prices[currency].price if currency in prices else None
    positions = valuing.value_positions(user, account)
    by_account: dict[Any, Decimal] = defaultdict(Decimal)
    grouped: dict[str, list[Balance]] = defaultdict(list)
    for row in balances:
        grouped[row.asset].append(row)
    holdings = []
    for asset, parts in grouped.items():
        quote = prices.get(own_name(asset))
        price = quote.price / unit if quote is not None and unit else None
        quantity = sum((part.total for part in parts), ZERO)
        value = None if price is None else quantity * price
        holdings.append(Holding(asset, quantity, price, value, None, parts))
        for part in parts:
            if price is not None:
                by_account[part.account_id] += part.total * price
    for item in positions:  # a futures wallet is worth its open results too
        if item.position.market == Market.USDM and item.unrealized_money is not None:
            by_account[item.position.account_id] += item.unrealized_money
    return Worth(
        holdings=_shared(holdings),
        total=sum(by_account.values(), ZERO) if unit else None,
        by_account=dict(by_account),
        unpriced=sorted(item.asset for item in holdings if item.value is None),
        positions=positions,
    )


def allocation(holdings: Iterable[Holding]) -> list[Slice]:
    """The largest six, and all others as one."""
    shares = [(item.asset, item.share * 100) for item in holdings if item.share and item.share > 0]
    rest = sum((share for _name, share in shares[SHOWN:]), ZERO)
    shown = shares[:SHOWN] + ([("…", rest)] if rest else [])
    slices, at = [], ZERO
    for number, (name, share) in enumerate(shown):
        slices.append(Slice(name, share, at, number))
        at += share
    return slices


def exposure(user: User, worth: Worth, account: str = "") -> Exposure | None:
    """Of positions whose price is known; None without one."""
    values = [item.value_money for item in worth.positions if item.value_money is not None]
    if not values:
        return None
    both = sum(map(abs, values), ZERO)
    symbol, nearest = _nearest_liquidation(user, account)
    of_worth = both / worth.total if worth.total else None
    return Exposure(sum(values, ZERO), of_worth, symbol, nearest)


def _nearest_liquidation(user: User, account: str) -> tuple[str, Decimal | None]:
    rows = FuturesPosition.objects.visible_to(user).of_account(account).exclude(quantity=0)
    distances = [
        (abs(row.mark_price - row.liquidation_price) / row.mark_price * 100, row.symbol)
        for row in rows.filter(liquidation_price__gt=0, mark_price__gt=0)
    ]
    if not distances:
        return "", None
    distance, symbol = min(distances)
    return symbol, distance


def _shared(holdings: list[Holding]) -> list[Holding]:
    """Largest first, each with its share of what has a price."""
    whole = sum((item.value for item in holdings if item.value), ZERO)
    ordered = sorted(holdings, key=lambda item: (-(item.value or ZERO), item.asset))
    return [
        Holding(
            item.asset,
            item.quantity,
            item.price,
            item.value,
            item.value / whole if item.value and whole else None,
            item.parts,
        )
        for item in ordered
    ]
