"""Joining and cutting trades by hand. A wish is a row; the books are computed again with it."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import ExchangeAccount
from journal.books import rebuilding
from journal.books.due import make_due
from journal.models import Book, Fill, Market, Trade, TradeMerge, TradeSplit

MOST_MERGED = 100
# A book of so many fills is computed while the user waits; a larger one by the worker.
AT_ONCE = 5_000


class BadGrouping(ValueError):
    """What was expected, for the user."""


def merge(trades: Sequence[Trade]) -> Trade | None:
    """Join closed trades of one user into the earliest one, whose note stays. Returns it, None when
    it is still to be computed. Raises BadGrouping, then nothing has changed."""
    if not 2 <= len(trades) <= MOST_MERGED:
        raise BadGrouping(_("Expected 2 to %(most)s trades.") % {"most": MOST_MERGED})
    ways = {(t.account_id, t.market, t.name, t.position_side, t.direction) for t in trades}
    if len(ways) > 1:
        raise BadGrouping(_("Expected trades of one account, market, coin or contract, direction."))
    if any(trade.kind != Trade.Kind.TRADE for trade in trades):
        raise BadGrouping(_("Expected trades, not what was taken from the stack."))
    if any(trade.closed_at is None for trade in trades):
        raise BadGrouping(_("Expected closed trades: an open one can still change."))
    if any(trade.by_hand == Trade.ByHand.SPLIT for trade in trades):
        raise BadGrouping(_("Expected trades that were not split: undo that first."))
    first = min(trades, key=lambda trade: (trade.opened_at, trade.key))
    others = [trade.key for trade in trades if trade.key != first.key]
    with transaction.atomic():
        is_built = _lock(first)
        mine = TradeMerge.objects.filter(account_id=first.account_id)
        mine.filter(other__in=[first.key, *others]).delete()
        # what was joined to one of them comes along
        mine.filter(key__in=others).update(key=first.key)
        TradeMerge.objects.bulk_create(
            TradeMerge(
                account_id=first.account_id,
                market=first.market,
                symbol=first.symbol,
                key=first.key,
                other=key,
            )
            for key in others
        )
    return _built(first, first.key, is_built=is_built)


def split(trade: Trade, fill: Fill) -> Trade | None:
    """Cut a closed trade: with this fill a new one begins. Returns the new one, None when it is
    still to be computed. Raises BadGrouping, then nothing has changed."""
    if trade.closed_at is None:
        raise BadGrouping(_("Expected a closed trade: an open one can still change."))
    if trade.by_hand == Trade.ByHand.MERGE:
        raise BadGrouping(_("Expected a trade that was not merged: undo that first."))
    whole, number = trade.key.split("/")[0], str(fill.trade_id)
    fills = [
        str(n)
        for n in trade.trade_fills.order_by("fill__time", "fill__trade_id").values_list(
            "fill__trade_id", flat=True
        )
    ]
    if number not in fills:
        raise BadGrouping(_("Expected a fill of this trade."))
    closing = set(trade.realized.values_list("closed_by", flat=True))
    at = fills.index(number)
    if closing.isdisjoint(fills[:at]) or closing.isdisjoint(fills[at:]):
        raise BadGrouping(_("Expected a fill with something closed before it and from it on."))
    with transaction.atomic():
        is_built = _lock(trade)
        TradeSplit.objects.get_or_create(
            account_id=trade.account_id,
            market=trade.market,
            symbol=trade.symbol,
            key=whole,
            fill=number,
        )
    return _built(trade, f"{whole}/{number}", is_built=is_built)


def undo(trade: Trade) -> Trade | None:
    """Take the joining apart, or put the part back to the one before it."""
    whole, _slash, number = trade.key.partition("/")
    with transaction.atomic():
        is_built = _lock(trade)
        merges = TradeMerge.objects.filter(account_id=trade.account_id)
        merges.filter(Q(key=trade.key) | Q(other=trade.key)).delete()
        cuts = TradeSplit.objects.filter(account_id=trade.account_id, key=whole)
        if number:
            cuts.filter(fill=number).delete()
        else:
            cuts.delete()
    return _built(trade, whole, is_built=is_built)


def _lock(trade: Trade) -> bool:
    """One change of a book at a time. Whether it was built: a due one waits for its prices."""
    account = ExchangeAccount.objects.get(pk=trade.account_id)
    name = (trade.market, _book_name(trade))
    mine = Book.objects.select_for_update().filter(
        account_id=trade.account_id, market=name[0], name=name[1]
    )
    is_built = any(book.built == book.version for book in mine)
    make_due(account, {name})
    return is_built


def _book_name(trade: Trade) -> str:
    return trade.base if trade.market == Market.SPOT else trade.symbol


def _is_small(trade: Trade) -> bool:
    mine = Fill.objects.filter(account_id=trade.account_id, market=trade.market)
    mine = (
        mine.filter(base=trade.base)
        if trade.market == Market.SPOT
        else mine.filter(symbol=trade.symbol)
    )
    return mine[: AT_ONCE + 1].count() <= AT_ONCE


def _built(trade: Trade, key: str, *, is_built: bool) -> Trade | None:
    if not is_built or not _is_small(trade):
        return None
    book = Book.objects.get(
        account_id=trade.account_id, market=trade.market, name=_book_name(trade)
    )
    if not rebuilding.rebuild_guarded(book):
        return None
    return Trade.objects.filter(account_id=trade.account_id, key=key).first()
