"""The entry price that the exchange reports of an open contract, compared with the same number by
its own rule, the average entry (money.md 4.5)."""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from accounts.models import ExchangeAccount
from journal.models import Book, Fill, FuturesPosition, LedgerProblem, Market, OpenPosition
from market.jobs.guarding import each

# What the exchange's rounding of an entry explains: it tells at least five places.
ROUNDED_SHARE = Decimal("0.00001")
ROUNDED_AWAY = Decimal("0.000005")
# A fill so near to the report may be in it or not.
UNSURE = timedelta(seconds=5)
KIND = "exchange_differs"
# what the problem's row has where others name a fill
POSITION = "position"


def compare_account(account: ExchangeAccount) -> None:
    """Every contract's, as it is reported now; one that cannot be compared stops no other."""
    contracts = Book.objects.filter(account=account, market=Market.USDM)
    each("entry", contracts, compare, name_of=lambda book: f"{book.account_id} {book.name}")


@transaction.atomic
def compare(book: Book) -> None:
    """Of one contract; a problem of before goes or stays."""
    mine = {"account_id": book.account_id, "symbol": book.name}
    LedgerProblem.objects.filter(book=book, kind=KIND, fill_id=POSITION).delete()
    open_ones = OpenPosition.objects.filter(market=Market.USDM, **mine)
    calculated = {row.position_side: row for row in open_ones}
    newest = Fill.objects.filter(market=Market.USDM, **mine).aggregate(at=Max("time"))["at"]
    for reported in FuturesPosition.objects.filter(**mine):
        known = calculated.get(reported.position_side)
        if known is None or known.exchange_entry is None or known.quantity != reported.quantity:
            continue  # the rows of one of them are still on their way, or of another moment
        if newest is not None and newest > reported.updated_at - UNSURE:
            continue
        if not agree(known.exchange_entry, reported.entry_price):
            _tell(book, known, reported)


def agree(calculated: Decimal, reported: Decimal) -> bool:
    room = max(ROUNDED_AWAY, abs(calculated) * ROUNDED_SHARE)
    return abs(calculated - reported) <= room


def _tell(book: Book, known: OpenPosition, reported: FuturesPosition) -> None:
    entry = known.exchange_entry or Decimal(0)
    LedgerProblem.objects.create(
        account_id=book.account_id,
        book=book,
        market=book.market,
        symbol=book.name,
        kind=KIND,
        fill_id=POSITION,
        asset=book.name,
        quantity=reported.quantity,
        worth=abs((entry - reported.entry_price) * reported.quantity),
        message=f"the exchange reports an entry of {_plain(reported.entry_price)} for "
        f"{_plain(reported.quantity)} {book.name}, by its own rule the known fills give "
        f"{_plain(entry)}",
    )


def _plain(number: Decimal) -> str:
    return f"{number.quantize(Decimal('1e-8')).normalize():f}"
