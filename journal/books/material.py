"""What goes into the ledger for one book, and the prices that it is valued by."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from journal import ledger
from journal.books import prices
from journal.books.prices import Need, Priced, minute_of
from journal.books.rules import rules_of
from journal.ledger.regroup import Wishes as Grouping
from journal.models import Book, Fill, Market
from lib.cash import DOLLARS

# asset -> moments of its own fills against dollars, and what they say that it was worth
Own = dict[str, tuple[list[datetime], list[Decimal]]]


@dataclass
class Material:
    """`needs` are the (asset, minute) whose dollars will be asked for; `currency` is what its owner
    wants to see amounts in; `coins` are those whose books are computed, none for a contract."""

    book: Book
    currency: str
    method: str
    coins: frozenset[str]
    fills: list[ledger.Fill] = field(default_factory=list)
    funding: list[ledger.Funding] = field(default_factory=list)
    transfers: list[ledger.Transfer] = field(default_factory=list)
    conversions: list[ledger.Conversion] = field(default_factory=list)
    openings: list[ledger.Opening] = field(default_factory=list)
    # what the rows say that the ledger does not look at
    problems: list[ledger.Problem] = field(default_factory=list)
    wishes: ledger.Wishes = field(default_factory=ledger.Wishes)
    needs: set[Need] = field(default_factory=set)
    # what the owner joined or cut by hand
    grouping: Grouping = field(default_factory=Grouping)
    # symbol -> (base, quote)
    assets: dict[str, tuple[str, str]] = field(default_factory=dict)
    # (symbol, ledger id) -> the exchange's fill
    known: dict[tuple[str, Any], Fill] = field(default_factory=dict)

    @property
    def is_coin(self) -> bool:
        return self.book.market == Market.SPOT

    def need(self, asset: str, moment: datetime) -> None:
        if asset not in DOLLARS:
            self.needs.add((asset, minute_of(moment)))

    def compute(self, prices: "Prices") -> ledger.Ledger:
        return ledger.compute(
            self.fills,
            method=self.method,
            funding=self.funding,
            transfers=self.transfers,
            conversions=self.conversions,
            openings=self.openings,
            prices=prices.told,
            rules=rules_of(self.book.account.venue, self.book.market, self.assets),
            wishes=self.wishes,
            coins=self.coins,
        )


class Prices:
    """Dollars of an asset at a moment: the minute's candle, else the last price known before it,
    be it a candle's or one of the account's own fills."""

    def __init__(self, known: dict[Need, Priced], own: Own) -> None:
        self._known = known
        self._own = own

    def told(self, asset: str, moment: datetime) -> tuple[Decimal, datetime | None] | None:
        """As the ledger asks: (price, the time it is of; None for the asked minute's own)."""
        if asset in DOLLARS:
            return Decimal(1), None
        minute = minute_of(moment)
        candle = self._known.get((asset, minute))
        if candle is not None and candle.minute == minute:
            return candle.price, None
        times, worths = self._own.get(asset, ((), ()))
        at = bisect_right(times, moment)
        if at and (candle is None or times[at - 1] > candle.minute):
            return worths[at - 1], times[at - 1]
        return None if candle is None else (candle.price, candle.minute)

    def dollars(self, asset: str, moment: datetime) -> Decimal | None:
        told = self.told(asset, moment)
        return None if told is None else told[0]


def prices_for(material: Material) -> Prices:
    """What is known of all that the material needs."""
    known = prices.load(material.needs)
    missing = {
        asset
        for asset, minute in material.needs
        if (priced := known.get((asset, minute))) is None or priced.minute != minute
    }
    return Prices(known, _own_prices(material, missing))


def _own_prices(material: Material, assets: Iterable[str]) -> Own:
    own: Own = {}
    rows = Fill.objects.filter(
        account_id=material.book.account_id, market=Market.SPOT, base__in=set(assets),
        quote__in=DOLLARS, quantity__gt=0,
    )  # fmt: skip
    for asset, moment, price in rows.order_by("time", "id").values_list("base", "time", "price"):
        times, worths = own.setdefault(asset, ([], []))
        times.append(moment)
        worths.append(price)
    return own
