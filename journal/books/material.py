"""What goes into the ledger for one book, and the prices that it is valued by."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from django.db.models import Q

from journal import ledger
from journal.books import prices
from journal.books.carried import Carried
from journal.books.presence import ANYTHING, Presence
from journal.books.prices import Need, Priced, minute_of
from journal.books.rules import rules_of
from journal.ledger.checkpoints import State
from journal.ledger.moves import number_of
from journal.ledger.regroup import Wishes as Grouping
from journal.ledger.translating import Translator
from journal.ledger.worth import Seen, Worth
from journal.models import Book, Fill, ManualFill, Market
from lib.cash import DOLLARS

# Rows between two checkpoints that stay.
CHECKPOINT_EVERY = 1000
# How many coins a price may be crossed through.
MOST_CROSSINGS = 4


@dataclass(frozen=True)
class Start:
    """A checkpoint to go on from: the rows of the material are those after `time`."""

    time: datetime
    state: State
    carried: Carried
    # rows since the last checkpoint that stays
    count: int


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
    # null: the rows are all that there are
    start: Start | None = None
    # which kinds of rows have to be asked for
    presence: Presence = ANYTHING
    # whether a later run may go on from where this one ends
    may_go_on: bool = True

    @property
    def is_coin(self) -> bool:
        return self.book.market == Market.SPOT

    @property
    def row_count(self) -> int:
        rows = (self.fills, self.funding, self.transfers, self.conversions)
        return sum(len(each) for each in rows)

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
            own_prices=prices.own,
            rules=rules_of(self.book.account.venue, self.book.market, self.assets),
            wishes=self.wishes,
            coins=self.coins,
            begin=None if self.start is None else self.start.state,
            every=CHECKPOINT_EVERY if self.may_go_on else 0,
        )


class Prices:
    """Dollars of an asset at a moment: the minute's candle, else the last price known before it,
    be it a candle's or one of the account's own fills."""

    def __init__(self, known: dict[Need, Priced], own: Mapping[str, Seen]) -> None:
        self._known = known
        self.own = own
        self._worth = Worth(self.told, own=own)

    def told(self, asset: str, moment: datetime) -> tuple[Decimal, datetime | None] | None:
        """As the ledger asks for candles: (price, the time it is of; None for the asked minute)."""
        minute = minute_of(moment)
        candle = self._known.get((asset, minute))
        if candle is None:
            return None
        return candle.price, None if candle.minute == minute else candle.minute

    def dollars(self, asset: str, moment: datetime) -> Decimal | None:
        price = self._worth.price(asset, moment)
        return None if price is None else price.dollars


def prices_for(material: Material) -> Prices:
    """What is known of all that the material needs."""
    known = prices.load(material.needs)
    missing = {
        asset
        for asset, minute in material.needs
        if (priced := known.get((asset, minute))) is None or priced.minute != minute
    }
    return Prices(known, own_prices(material.book.account_id, missing))


def own_prices(account_id: Any, assets: Collection[str]) -> Mapping[str, Seen]:
    """What the account's own fills tell of the assets, crossed through others where they were
    traded against those: the same for every book that asks."""
    wanted = set(assets) - DOLLARS
    fills: list[Fill] = []
    spot = Fill.objects.filter(account_id=account_id, market=Market.SPOT, quantity__gt=0)
    for _ in range(MOST_CROSSINGS if wanted else 0):
        fills = list(spot.filter(Q(base__in=wanted) | Q(quote__in=wanted)))
        partners = {asset for fill in fills for asset in (fill.base, fill.quote)} - DOLLARS
        if partners <= wanted:
            break
        wanted |= partners
    needs = {
        (asset, minute_of(fill.time))
        for fill in fills
        for asset in (fill.base, fill.quote)
        if asset not in DOLLARS
    }
    candles = Prices(prices.load(needs), {})
    translator = Translator(Worth(candles.told))
    rows = [as_ledger_fill(fill) for fill in fills]
    with localcontext(prec=60):
        for row in sorted(rows, key=lambda row: (row.time, row.symbol, number_of(row.id))):
            translator.of_fill(row)
    return translator.worth.own


def as_ledger_fill(fill: Fill | ManualFill) -> ledger.Fill:
    own = fill if isinstance(fill, Fill) else None
    return ledger.Fill(
        id=own.trade_id if own else f"manual-{fill.pk}",
        time=fill.time,
        symbol=fill.symbol,
        base=fill.base,
        quote=fill.quote,
        side=fill.side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        fee_asset=fill.fee_asset or None,
        market=fill.market,
        account=str(fill.account_id),
        position_side=own.position_side if own else "BOTH",
        order_id=(own.order_id or None) if own else None,
        amount=own.quote_quantity if own else None,
        realized=own.realized if own else None,
    )
