"""What an account's history adds up to, against what the exchange says it holds: pure code.

Each asset of each wallet is compared exactly. A difference gets a cause: a missing trade shows as
a coin too much on one side and its price too little on the other; history that begins too late
shows as a balance that went below zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from lib.decimals import plain

ZERO = Decimal(0)
# What a wallet's own rounding may leave: one unit of the last place, a few times over.
ROUNDING = Decimal("0.00000005")
# How far a price implied by two differences may lie outside the prices that the coin ever had.
ROOM = Decimal("0.02")


@dataclass(frozen=True)
class Change:
    """One line of the history of a wallet's asset."""

    time: datetime
    wallet: str
    asset: str
    amount: Decimal


@dataclass(frozen=True)
class Compared:
    """`cause`: empty when both agree, else missing_trade, missing_fee, missing_history, rounding,
    moved_in, moved_out or unknown; `detail` holds what its sentence needs, as text."""

    wallet: str
    asset: str
    calculated: Decimal
    reported: Decimal
    cause: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def difference(self) -> Decimal:
        return self.reported - self.calculated


@dataclass(frozen=True)
class Pair:
    """A symbol that may have been traded, with the lowest and highest price of the time."""

    symbol: str
    base: str
    quote: str
    low: Decimal
    high: Decimal


def reconcile(
    changes: Iterable[Change],
    reported: Mapping[tuple[str, str], Decimal],
    pairs: Sequence[Pair] = (),
    fee_assets: Sequence[str] = ("BNB",),
) -> list[Compared]:
    """Every asset that was ever held or is reported, by wallet and asset."""
    totals: dict[tuple[str, str], Decimal] = {}
    first_below: dict[tuple[str, str], datetime] = {}
    for change in sorted(changes, key=lambda item: item.time):
        key = (change.wallet, change.asset)
        totals[key] = totals.get(key, ZERO) + change.amount
        if totals[key] < -ROUNDING:
            first_below.setdefault(key, change.time)
    keys = sorted({*totals, *(key for key, held in reported.items() if held)})
    rows = {key: Compared(*key, totals.get(key, ZERO), reported.get(key, ZERO)) for key in keys}
    open_ones = {key: row for key, row in rows.items() if row.difference}
    for explained in _explained(open_ones, pairs, fee_assets, first_below):
        rows[explained.wallet, explained.asset] = explained
    return [rows[key] for key in keys]


def _explained(
    rows: dict[tuple[str, str], Compared],
    pairs: Sequence[Pair],
    fee_assets: Sequence[str],
    first_below: Mapping[tuple[str, str], datetime],
) -> Iterable[Compared]:
    left = dict(rows)
    for key, row in rows.items():
        if abs(row.difference) <= ROUNDING:
            yield _as(left.pop(key), "rounding")
    for pair in pairs:
        base, quote = left.get(("spot", pair.base)), left.get(("spot", pair.quote))
        if base is None or quote is None or not _is_trade(base, quote, pair):
            continue
        detail = _trade_detail(pair, base, quote, first_below)
        for row in (base, quote):
            yield _as(left.pop((row.wallet, row.asset)), "missing_trade", detail)
        for asset in fee_assets:
            fee = left.get(("spot", asset))
            if fee is not None and fee.difference < 0:
                yield _as(left.pop(("spot", asset)), "missing_fee", detail)
    for key, row in left.items():
        if key in first_below:
            yield _as(row, "missing_history", {"before": first_below[key].isoformat()})
        elif row.difference > 0:
            yield _as(row, "moved_in")
        else:
            yield _as(row, "moved_out")


def _is_trade(base: Compared, quote: Compared, pair: Pair) -> bool:
    """One side too much and the other too little, at a price that the coin had."""
    if base.difference * quote.difference >= 0:
        return False
    price = abs(quote.difference / base.difference)
    return pair.low * (1 - ROOM) <= price <= pair.high * (1 + ROOM)


def _trade_detail(
    pair: Pair, base: Compared, quote: Compared, first_below: Mapping[tuple[str, str], datetime]
) -> dict[str, str]:
    before = first_below.get(("spot", pair.base)) or first_below.get(("spot", pair.quote))
    return {
        "symbol": pair.symbol,
        "base": pair.base,
        "quote": pair.quote,
        "side": "BUY" if base.difference > 0 else "SELL",
        "quantity": plain(abs(base.difference)),
        "value": plain(abs(quote.difference)),
        "price": plain(abs(quote.difference / base.difference).quantize(Decimal("1e-8"))),
        "before": before.isoformat() if before else "",
    }


def _as(row: Compared, cause: str, detail: Mapping[str, Any] | None = None) -> Compared:
    return Compared(row.wallet, row.asset, row.calculated, row.reported, cause, detail or {})
