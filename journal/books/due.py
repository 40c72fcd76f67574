"""Which books a row may change, and that they are due: in the transaction that saves the row."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Least
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import incomes
from journal.ledger.contracts import settled_hour
from journal.models import Book, Fill, FillMark, Income, ManualFill, Market, Transfer
from journal.models.trades import BEGINNING
from lib.cash import DOLLARS, own_name

# (market, name)
BookName = tuple[str, str]
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
# How far the halves of one conversion may stand apart.
HALF_AWAY = timedelta(days=1)


def books_of(fill: Any) -> set[BookName]:
    """Of a fill, an export's or one by hand. A dollar's own book is only that of its exchanges
    against other cash."""
    coins = {fill.base, fill.quote, fill.fee_asset} - {""}
    if fill.market != Market.SPOT:
        of_fee = {fill.fee_asset} - {"", *DOLLARS}
        return {(fill.market, fill.symbol), *((Market.SPOT, coin) for coin in of_fee)}
    return {(Market.SPOT, coin) for coin in coins if coin == fill.base or coin not in DOLLARS}


def books_of_transfer(row: Transfer) -> set[BookName]:
    return {(Market.SPOT, own_name(row.asset))}


def books_of_income(row: Income) -> set[BookName]:
    """A contract's line belongs to the contract, and to the coin that it was paid in."""
    if row.kind in incomes.OWN_WALLETS:
        return set()
    of_coin = {(str(Market.SPOT), own_name(row.asset))}
    if row.symbol and (row.kind in incomes.OF_A_CONTRACT or row.kind in incomes.WITNESSES):
        names = {(str(Market.USDM), row.symbol)}
        return names if row.asset in DOLLARS else names | of_coin
    return of_coin


def make_due(
    account: ExchangeAccount, names: Collection[BookName], since: datetime = BEGINNING
) -> None:
    """Books that are new or touched; in the transaction of what touches them. `since`: nothing
    before that moment is another one (`since_of`). What a coin was swapped into goes with it."""
    names = {*names, *_swapped(account, names)}
    # one that is due already keeps the earlier moment
    earliest = Case(
        When(built__lt=F("version"), then=Least(F("changed_from"), Value(since))),
        default=Value(since),
    )
    for market, name in sorted(names):  # in one order, so that two writers never wait for another
        book = Book.objects.filter(account=account, market=market, name=name)
        if not book.update(version=F("version") + 1, changed_from=earliest):
            new = Book(account=account, market=market, name=name, version=0)
            Book.objects.bulk_create([new], ignore_conflicts=True)
            book.update(version=F("version") + 1, changed_from=earliest)


class Touched:
    """Books that a long piece of work has touched. They are made due together at its end, so that
    nobody waits for their rows while it lasts."""

    def __init__(self) -> None:
        self.names: set[BookName] = set()
        self.since: datetime | None = None

    def add(self, names: Collection[BookName], since: datetime = BEGINNING) -> None:
        if names:
            self.names.update(names)
            self.since = since if self.since is None else min(self.since, since)

    def make_due(self, account: ExchangeAccount) -> None:
        """In the transaction of the work."""
        if self.since is not None:
            make_due(account, self.names, self.since)


def _swapped(account: ExchangeAccount, names: Collection[BookName]) -> set[BookName]:
    """Every coin that one of these was swapped into or came from, however often."""
    swaps = Transfer.objects.filter(account=account, kind=Transfer.Kind.SWAP)
    halves: dict[str, set[str]] = {}
    for external_id, asset in swaps.values_list("external_id", "asset"):
        halves.setdefault(external_id, set()).add(own_name(asset))
    coins = {name for market, name in names if market == Market.SPOT}
    for _ in range(len(halves)):
        touched = [half for half in halves.values() if not half.isdisjoint(coins)]
        more = set().union(*touched) - coins
        if not more:
            break
        coins |= more
    return {(str(Market.SPOT), coin) for coin in coins}


def since_of(account: ExchangeAccount, fills: Collection[Any]) -> datetime:
    """From when on these fills may change anything: what one order takes from the stack is one
    trade, which begins with the order's first fill; without an order, with the minute's."""
    moments = [fill.time.replace(second=0, microsecond=0) for fill in fills]
    orders = {fill.order_id for fill in fills if getattr(fill, "order_id", None)}
    if orders:
        symbols = {fill.symbol for fill in fills}
        rows = Fill.objects.filter(account=account, symbol__in=symbols, order_id__in=orders)
        first = rows.aggregate(first=Min("time"))["first"]
        moments += [first] if first is not None else []
    return min(moments, default=BEGINNING)


def since_of_rows(rows: Collection[Transfer] | Collection[Income]) -> datetime:
    """Of transfers or lines of income: a conversion's other half may be of another moment, and what
    is paid by what was held was decided at the hour."""
    return min((settled_hour(row.time) - HALF_AWAY for row in rows), default=BEGINNING)


def make_everything_due(user: User) -> None:
    """All books of a user: the method has changed, say."""
    Book.objects.filter(account__user=user).update(version=F("version") + 1, changed_from=BEGINNING)


def due_books() -> QuerySet[Book]:
    """Those that wait to be built; one that could not be built waits longer each time."""
    is_time = Q(retry_at=None) | Q(retry_at__lte=timezone.now())
    return Book.objects.filter(is_time, built__lt=F("version"))


def pause_after(failures: int) -> timedelta:
    pause: timedelta = FIRST_PAUSE * (1 << min(failures, 12))
    return min(pause, LONGEST_PAUSE)


def ensure_all(account: ExchangeAccount) -> None:
    """Every book that the account's rows call for, due where it is new."""
    names: set[BookName] = set()
    for source in (Fill, ManualFill):
        rows = source.objects.filter(account=account)
        for market, symbol, base, quote, fee_asset in (
            rows.order_by().values_list("market", "symbol", "base", "quote", "fee_asset").distinct()
        ):
            names |= books_of(
                source(market=market, symbol=symbol, base=base, quote=quote, fee_asset=fee_asset)
            )
    for asset in _distinct(Transfer.objects.filter(account=account), "asset"):
        names.add((Market.SPOT, own_name(asset)))
    kinds = Income.objects.filter(account=account).order_by()
    for kind, asset, symbol in kinds.values_list("kind", "asset", "symbol").distinct():
        names |= books_of_income(Income(kind=kind, asset=asset, symbol=symbol))
    known = set(Book.objects.filter(account=account).values_list("market", "name"))
    make_due(account, names - known)


def touch_marks(mark: FillMark) -> None:
    """The book of the fill that is marked."""
    fill = (
        Fill.objects.filter(
            account=mark.account, market=mark.market, symbol=mark.symbol, trade_id=mark.fill
        ).first()
        if mark.fill.lstrip("-").isdecimal()
        else None
    )
    if fill is not None:
        make_due(mark.account, books_of(fill))
        return
    names = Book.objects.filter(account=mark.account, market=mark.market)
    make_due(mark.account, set(names.values_list("market", "name")))


def _distinct(rows: "QuerySet[Any]", field: str) -> Iterable[str]:
    return rows.order_by().values_list(field, flat=True).distinct()
