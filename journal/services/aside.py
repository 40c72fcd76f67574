"""Setting a trade of a coin aside (money.md 3.6): a mark on a fill, which every rebuild follows."""

from django.db import transaction
from django.utils.translation import gettext as _

from journal.books import rebuilding
from journal.books.due import make_due
from journal.books.notes import ref_of_key
from journal.models import Book, FillMark, Market, Trade

Kind = FillMark.Kind


class BadWish(ValueError):
    """What was expected, for the user."""


def set_aside(trade: Trade) -> Trade | None:
    """After its newest fill the trade's coins are kept beside. Returns the ended trade, None where
    it had no results and is listed no more. Raises BadWish."""
    if trade.market != Market.SPOT or trade.kind != Trade.Kind.TRADE or not trade.is_open:
        raise BadWish(_("Expected an open trade of a coin."))
    newest = trade.fills.filter(base=trade.base).order_by("-time", "-trade_id").first()
    if newest is None:
        symbol, fill = _opening(trade)
    else:
        symbol, fill = newest.symbol, str(newest.trade_id)
    return _mark(trade, symbol, fill, Kind.ASIDE)


def undo(trade: Trade) -> Trade | None:
    """As if it had never been set aside: of the trade that was, or of the one whose first purchase
    did that by itself. Raises BadWish."""
    if trade.ends_older and trade.ended_by != "set_aside":
        return _mark(trade, *_opening(trade), Kind.KEEP)
    if trade.ended_by == "forgotten":
        later = Trade.objects.filter(
            account=trade.account_id,
            market=trade.market,
            base=trade.base,
            kind=Trade.Kind.TRADE,
            ends_older=True,
            opened_at__gt=trade.closed_at,
        )
        ending = later.order_by("opened_at").first()
        if ending is None:
            raise BadWish(_("Expected a trade that a later purchase had set aside."))
        return _mark(trade, *_opening(ending), Kind.KEEP)
    fills = [(fill.symbol, str(fill.trade_id)) for fill in trade.fills.all()]
    marks = FillMark.objects.filter(
        account=trade.account_id,
        market=trade.market,
        kind=Kind.ASIDE,
        fill__in=[fill for _, fill in [*fills, _opening(trade)]],
    )
    own = [mark.pk for mark in marks if (mark.symbol, mark.fill) in {*fills, _opening(trade)}]
    if not own:
        raise BadWish(_("Expected a trade that was set aside."))
    with transaction.atomic():
        FillMark.objects.filter(pk__in=own).delete()
        make_due(trade.account, {(trade.market, trade.base)})
    return _rebuilt(trade)


def _mark(trade: Trade, symbol: str, fill: str, kind: str) -> Trade | None:
    with transaction.atomic():
        FillMark.objects.get_or_create(
            account=trade.account, market=trade.market, symbol=symbol, fill=fill, kind=kind
        )
        make_due(trade.account, {(trade.market, trade.base)})
    return _rebuilt(trade)


def _rebuilt(trade: Trade) -> Trade | None:
    book = Book.objects.get(account=trade.account_id, market=trade.market, name=trade.base)
    rebuilding.rebuild_guarded(book)
    return Trade.objects.filter(account=trade.account_id, key=trade.key).first()


def _opening(trade: Trade) -> tuple[str, str]:
    """(symbol, ledger id) of what opened it; a conversion has no pair."""
    _, symbol, fill = ref_of_key(trade.key).split(":", 2)
    return ("" if symbol == trade.base else symbol), fill
