"""Notes hang on fills: whatever a rebuild makes of the trades, each finds the one that has its
fill (money.md 3.7)."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from journal.books.results import Built
from journal.models import Annotation, Book, Fill, Screenshot, Trade

# How many of a trade's fills a note remembers; the first one that is in a trade decides.
MOST_FILLS = 100


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
    the book's trades, and what hangs on one that is still there stays."""
    homes: dict[str, str] = {}
    own = [item for item in trades if item.row.kind == Trade.Kind.TRADE]
    for item in own:
        homes.setdefault(ref_of_key(item.row.key), item.row.key)
    for item in [*own, *(item for item in trades if item.row.kind == Trade.Kind.STACK)]:
        for ref in item.refs:
            homes.setdefault(ref, item.row.key)
    place = f"{book.account_id}:{book.market}:"
    for model in (Annotation, Screenshot):
        rows: Any = model.objects.filter(user=book.account.user_id, trade_key__startswith=place)
        for row in rows.only("pk", "fills", "trade_key"):
            home = next((homes[ref] for ref in row.fills if ref in homes), None)
            if home is None or home == row.trade_key:
                continue
            hung_on = Trade.objects.filter(account=book.account_id, key=row.trade_key)
            if not is_part or not hung_on.exists():
                model.objects.filter(pk=row.pk).update(trade_key=home)
