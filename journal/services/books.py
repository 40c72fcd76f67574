"""What goes into the ledger for one book: fills, funding, and what moved its coin without one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from journal import ledger
from journal.ledger.regroup import Regrouped, Wishes, regroup
from journal.models import (
    Book,
    Fill,
    Income,
    ManualFill,
    Market,
    TradeMerge,
    TradeSplit,
    Transfer,
)
from journal.sync.prices import Need, load, minute_of
from lib.cash import DOLLARS
from market.models import Listing

ZERO = Decimal(0)


@dataclass
class Material:
    """`needs` are the (asset, minute) whose dollars will be asked for; `currency` is what its owner
    wants to see amounts in."""

    currency: str
    fills: list[ledger.Fill] = field(default_factory=list)
    funding: list[ledger.Funding] = field(default_factory=list)
    transfers: list[ledger.Transfer] = field(default_factory=list)
    rules: dict[str, ledger.Rules] = field(default_factory=dict)
    needs: set[Need] = field(default_factory=set)
    # what the owner joined or cut by hand
    wishes: Wishes = field(default_factory=Wishes)
    # symbol -> (base, quote)
    assets: dict[str, tuple[str, str]] = field(default_factory=dict)
    # (symbol, ledger id) -> the exchange's fill
    known: dict[tuple[str, Any], Fill] = field(default_factory=dict)

    def compute(self, method: str) -> ledger.Ledger:
        prices = load(self.needs)

        def price(asset: str, moment: datetime) -> Decimal | None:
            known = prices.get((asset, minute_of(moment)))
            if known is None:
                return Decimal(1) if asset in DOLLARS else None
            return known.price

        return ledger.compute(
            self.fills, method=method, funding=self.funding, transfers=self.transfers,
            prices=price, rules=self.rules,
        )  # fmt: skip

    def regroup(self, found: ledger.Ledger) -> Regrouped:
        """Round trips as the trader joined or cut them."""
        times = {(fill.symbol, fill.id): fill.time for fill in self.fills}
        matches = found.matches_by_symbol()
        return regroup(found.trades, self.wishes, matches, times, self.funding)


def gather(book: Book) -> Material:
    """Everything that the book's trades depend on."""
    found = Material(currency=book.account.user.report_currency, wishes=_wishes(book))
    mine = Fill.objects.filter(account_id=book.account_id, market=book.market)
    by_hand = ManualFill.objects.filter(account_id=book.account_id, market=book.market)
    if book.market == Market.SPOT:
        own, corrections = mine.filter(base=book.name), by_hand.filter(base=book.name)
    else:
        own, corrections = mine.filter(symbol=book.name), by_hand.filter(symbol=book.name)
    for fill in own.order_by("time", "trade_id"):
        _add_fill(found, fill)
    for made in corrections:
        _add_manual(found, made)
    if book.market == Market.SPOT and found.fills:
        _add_movements(found, book, mine)
        _add_rules(found, book)
    elif found.fills:
        _add_funding(found, book)
    return found


def _add_fill(found: Material, fill: Fill) -> None:
    found.fills.append(
        ledger.Fill(
            id=fill.trade_id, time=fill.time, symbol=fill.symbol, base=fill.base,
            quote=fill.quote, side=fill.side, price=fill.price, quantity=fill.quantity,
            fee=fill.fee, fee_asset=fill.fee_asset or None, market=fill.market,
            account=str(fill.account_id), position_side=fill.position_side,
        )
    )  # fmt: skip
    found.known[fill.symbol, fill.trade_id] = fill
    _need_fee(found, fill)


def _add_manual(found: Material, made: ManualFill) -> None:
    found.fills.append(
        ledger.Fill(
            id=f"manual-{made.pk}", time=made.time, symbol=made.symbol, base=made.base,
            quote=made.quote, side=made.side, price=made.price, quantity=made.quantity,
            fee=made.fee, fee_asset=made.fee_asset or None, market=made.market,
            account=str(made.account_id),
        )
    )  # fmt: skip
    _need_fee(found, made)


def _need_fee(found: Material, fill: Fill | ManualFill) -> None:
    found.assets[fill.symbol] = (fill.base, fill.quote)
    found.needs |= {(asset, minute_of(fill.time)) for asset in (fill.quote, found.currency)}
    if fill.fee and fill.fee_asset not in {fill.base, fill.quote, ""}:
        found.needs.add((fill.fee_asset, minute_of(fill.time)))


def _wishes(book: Book) -> Wishes:
    mine = {"account_id": book.account_id, "market": book.market}
    joined = TradeMerge.objects.filter(**mine).values_list("other", "key")
    cuts: dict[str, list[str]] = {}
    for key, fill in TradeSplit.objects.filter(**mine).values_list("key", "fill"):
        cuts.setdefault(key, []).append(fill)
    return Wishes(dict(joined), cuts)


def _add_rules(found: Material, book: Book) -> None:
    for row in Listing.objects.filter(
        venue=book.account.venue, market=book.market, symbol__in=found.assets
    ):
        found.rules[row.symbol] = ledger.Rules(row.step_size, row.min_notional)


def _add_funding(found: Material, book: Book) -> None:
    rows = Income.objects.filter(
        account_id=book.account_id, kind="FUNDING_FEE", symbol=book.name
    ).order_by("time")
    for row in rows:
        found.funding.append(
            ledger.Funding(
                id=row.external_id, time=row.time, symbol=row.symbol, amount=row.amount,
                asset=row.asset, account=str(row.account_id),
            )
        )  # fmt: skip


def _add_movements(found: Material, book: Book, mine: Any) -> None:
    """The coin's own comings and goings: transfers, fees that it paid for others, and its use as
    the quote of another pair. What came in for something else cost what it was worth; in dollars,
    so only where the coin is traded against dollars alone is that cost known."""
    coin = book.name
    moves: list[tuple[str, datetime, Decimal, bool]] = []
    for row in Transfer.objects.filter(account_id=book.account_id, asset=coin, wallet=Market.SPOT):
        worth = row.kind in {Transfer.Kind.CONVERT, Transfer.Kind.DUST, Transfer.Kind.DIVIDEND}
        moves.append((f"{row.kind}-{row.external_id}", row.time, row.amount, worth))
    for fill in mine.filter(fee_asset=coin).exclude(base=coin).exclude(fee=0):
        moves.append((f"fee-{fill.symbol}-{fill.trade_id}", fill.time, -fill.fee, False))
    if coin not in DOLLARS:
        for fill in mine.filter(quote=coin):
            sign = 1 if fill.side == "SELL" else -1
            name = f"quote-{fill.symbol}-{fill.trade_id}"
            moves.append((name, fill.time, sign * fill.quote_quantity, True))
    is_in_dollars = all(quote in DOLLARS for _, quote in found.assets.values())
    needs = {(coin, minute_of(at)) for _, at, amount, worth in moves if worth and amount > 0}
    found.needs |= needs
    prices = load(needs) if is_in_dollars else {}
    for name, at, amount, worth in moves:
        price = prices.get((coin, minute_of(at))) if worth and amount > 0 else None
        cost = None if price is None else price.price * amount
        if amount:
            found.transfers.append(ledger.Transfer(name, at, coin, amount, cost))


def needs_of(books: Iterable[Book]) -> set[Need]:
    """What has to be priced before the books can be computed."""
    found: set[Need] = set()
    for book in books:
        found |= gather(book).needs
    return found
