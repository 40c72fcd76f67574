"""Notes hang on fills: whatever a rebuild makes of the trades, each finds the one that has its
fill (money.md 3.7)."""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

from journal.books.results import Built
from journal.models import Annotation, Book, Fill, Market, Screenshot, Trade

# How many of a trade's fills a note remembers; the first one that is in a trade decides.
MOST_FILLS = 100
FEW_REFS = 1000
FEE = "fee"


def refs_of(trade: Trade) -> list[str]:
    """The fills that something written on the trade now hangs on."""
    fills = trade.fills.order_by("time", "trade_id").only("symbol", "trade_id")
    return refs_among(trade, fills[:MOST_FILLS])


def refs_among(trade: Trade, fills: Iterable[Fill]) -> list[str]:
    """The same of fills that are there already, in their order; the one that opened is first."""
    refs = [f"{trade.market}:{fill.symbol}:{fill.trade_id}" for fill in islice(fills, MOST_FILLS)]
    opening = ref_of_key(trade.key)
    return [opening, *(ref for ref in refs if ref != opening)] if opening else refs


def ref_of_key(key: str) -> str:
    """A trade's key ends with the fill that opened it."""
    words = key.split(":")
    if len(words) < 6:
        return ""
    return f"{words[1]}:{words[2]}:{':'.join(words[5:]).partition('/')[0]}"


def follow(book: Book, trades: Sequence[Built], *, is_part: bool = False) -> None:
    """After a rebuild: what is written on fills of this book goes to the trade that has them. A
    fill that closes one trade and opens another is the other's. `is_part`: these are not all of
    the book's trades, and what hangs on one that is still there stays. So does what hangs on
    another coin's, which has the fill too, as the coin that paid the fee has."""
    homes = _homes(trades)
    for model in (Annotation, Screenshot):
        moving = {
            pk: (hangs_on, home)
            for pk, fills, hangs_on in _written(model, book, list(homes) if is_part else None)
            if (home := next((homes[ref] for ref in fills if ref in homes), None)) is not None
            and home.key != hangs_on
        }
        keys = {hangs_on for hangs_on, _home in moving.values()}
        there = {trade.key: trade for trade in _trades(book, keys)}
        for pk, (hangs_on, home) in moving.items():
            if not _stays(there.get(hangs_on), home, book, is_part=is_part):
                model.objects.filter(pk=pk).update(trade_key=home.key)


def _homes(trades: Sequence[Built]) -> dict[str, Trade]:
    """Whose each fill is: of the trade that it opened, of the one that it is in, of the order that
    took from the stack."""
    homes: dict[str, Trade] = {}
    own = [item for item in trades if item.row.kind == Trade.Kind.TRADE]
    for item in own:
        homes.setdefault(ref_of_key(item.row.key), item.row)
    for item in [*own, *(item for item in trades if item.row.kind == Trade.Kind.STACK)]:
        for ref in item.refs:
            homes.setdefault(ref, item.row)
    return homes


def _written(
    model: type[Annotation | Screenshot], book: Book, refs: list[str] | None
) -> Iterable[tuple[Any, list[str], str]]:
    """Number, fills and trade of what is written in the book's market; with `refs` of what has one
    of these fills, which PostgreSQL is asked for where they are few."""
    place = f"{book.account_id}:{book.market}:"
    rows: Any = model.objects.filter(user=book.account.user_id, trade_key__startswith=place)
    if refs is not None and len(refs) <= FEW_REFS:
        rows = rows.filter(fills__has_any_keys=refs)
    return list(rows.values_list("pk", "fills", "trade_key"))


def _trades(book: Book, keys: Collection[str]) -> Iterable[Trade]:
    if not keys:
        return []
    rows = Trade.objects.filter(account=book.account_id, key__in=keys)
    return rows.only("key", "kind", "ended_by", "base", "symbol")


def _stays(here: Trade | None, home: Trade, book: Book, *, is_part: bool) -> bool:
    """Whether what hangs on the trade `here` does, though `home` has its fill. Nobody writes on a
    fee; what stands on one came there from a trade."""
    if here is None:
        return False
    if book.name == (here.base if book.market == Market.SPOT else here.symbol):
        return is_part
    is_fee = here.kind == Trade.Kind.STACK and here.ended_by == FEE
    return not (is_fee and home.kind == Trade.Kind.TRADE)
