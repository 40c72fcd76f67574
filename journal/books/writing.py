"""A book's results into PostgreSQL: only what differs from what stands there."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.utils import timezone

from journal.books import entries
from journal.books.bulk import insert, update
from journal.books.rates import rounded
from journal.books.results import Built, Results, others_digest
from journal.models import (
    Book,
    Checkpoint,
    Fill,
    LedgerProblem,
    Market,
    OpenPosition,
    Payment,
    Realized,
    Trade,
    TradeFill,
)

# behind the last digit that counts, as PostgreSQL gives its decimals
ZEROS = re.compile(r"(\d+\.\d*?[1-9]|\d+(?=\.0+\b))\.?0+\b")
# Beside the minute of the newest row; what is settled is settled within a minute after it.
OPEN_MINUTES = timedelta(minutes=1)
# What a rebuild may change in a row that stays; the stamps are not among it.
COMPUTED = (
    "kind",
    "ended_by",
    "is_apart",
    "ends_older",
    "digest",
    "pairs",
    "symbol",
    "base",
    "quote",
    "direction",
    "opened_at",
    "closed_at",
    "quantity",
    "entry_price",
    "exit_price",
    "gross",
    "fees",
    "funding",
    "net",
    "quote_rate",
    "rate",
    "gross_money",
    "fees_money",
    "funding_money",
    "net_money",
    "size_money",
    "exchange_realized",
    "fill_count",
    "maker_share",
    "by_hand",
)
# A change of these alone leaves the stamps as they are.
UNSTAMPED = (
    "rate",
    "gross_money",
    "fees_money",
    "funding_money",
    "net_money",
    "size_money",
    "digest",
)


def write(book: Book, results: Results) -> dict[str, Any]:
    """In the caller's transaction, under the lock of the book's row, whose own columns it returns.
    Of results since a moment only what stands after it is written anew."""
    rows = _write_trades(book, results.trades, results.since)
    digest = _write_others(book, results, rows)
    OpenPosition.objects.filter(**_place(book)).delete()
    OpenPosition.objects.bulk_create(results.positions)
    _write_problems(book, results)
    if book.market == Market.USDM:
        entries.compare(book)
    _write_checkpoints(book, results)
    return {
        "exchange_realized": rounded(results.exchange_realized),
        "moved": results.moved,
        "booked": results.booked,
        "has_stated": results.has_stated,
        "digest": digest,
    }


def _place(book: Book) -> dict[str, object]:
    name = "base" if book.market == Market.SPOT else "symbol"
    return {"account_id": book.account_id, "market": book.market, name: book.name}


def _write_trades(book: Book, built: Sequence[Built], since: datetime | None) -> dict[str, Trade]:
    """Returns the rows by their keys."""
    may_change = Q()
    if since is not None:
        keys = [item.row.key for item in built]
        may_change = Q(closed_at__gt=since) | Q(closed_at=None) | Q(key__in=keys)
    before = {trade.key: trade for trade in Trade.objects.filter(may_change, **_place(book))}
    now = timezone.now()
    fresh: list[Built] = []
    changed: list[tuple[Trade, Built]] = []
    rows: dict[str, Trade] = {}
    for item in built:
        known = before.pop(item.row.key, None)
        if known is None:
            is_stack = item.row.kind == Trade.Kind.STACK
            item.row.stamp_due_at = None if is_stack else now
            fresh.append(item)
            rows[item.row.key] = item.row
            continue
        rows[known.key] = known
        different = [n for n in COMPUTED if getattr(known, n) != getattr(item.row, n)]
        if not different:
            continue
        for name in different:
            setattr(known, name, getattr(item.row, name))
        if not set(different) <= set(UNSTAMPED) and known.kind == Trade.Kind.TRADE:
            known.protected_at = None
            known.stamp_due_at = now
        changed.append((known, item))
    gone = [trade.pk for trade in before.values()]
    Trade.objects.filter(pk__in=[*gone, *(row.pk for row, _ in changed)]).locked()
    Trade.objects.filter(pk__in=gone).delete()
    insert([item.row for item in fresh])
    update([row for row, _ in changed], [*COMPUTED, "stamp_due_at", "protected_at"])
    touched = [*((item.row, item) for item in fresh), *changed]
    is_new = not changed
    _write_fills(book, touched, since, is_new=is_new)
    _write_matches(book, touched, since, is_new=is_new)
    return rows


def _write_fills(
    book: Book, touched: Iterable[tuple[Trade, Built]], since: datetime | None, *, is_new: bool
) -> None:
    rows, kept = [], []
    for trade, item in touched:
        kept.append(trade.pk)
        entry = "BUY" if trade.direction == "LONG" else "SELL"
        rows += [
            TradeFill(
                trade=trade, fill=fill, is_entry=fill.side == entry and fill.base == trade.base
            )
            for fill in item.fills
        ]
    if not is_new:
        later = Q()
        if since is not None:  # by the fills, of which there are few, not by those of the trades
            fills = Fill.objects.filter(account_id=book.account_id, time__gt=since)
            later = Q(fill__in=fills)
        TradeFill.objects.filter(later, trade__in=kept).delete()
    if is_new:
        insert(rows)
    else:
        TradeFill.objects.bulk_create(rows, batch_size=2000, ignore_conflicts=True)


def _write_matches(
    book: Book, touched: Sequence[tuple[Trade, Built]], since: datetime | None, *, is_new: bool
) -> None:
    rows = []
    for trade, item in touched:
        for match in item.matches:
            match.book, match.trade = book, trade
            rows.append(match)
    if not is_new:
        later = Q() if since is None else Q(closed_at__gt=since)
        Realized.objects.filter(later, trade__in=[trade.pk for trade, _ in touched]).delete()
    insert(rows)


def _write_others(book: Book, results: Results, rows: dict[str, Trade]) -> str:
    """What belongs to no trade, payments, and which view the trades' matches are of. Returns the
    digest of it, which nobody knows after a part."""
    later = Q() if results.since is None else Q(closed_at__gt=results.since)
    own = Realized.objects.filter(later, book=book)
    view = Realized.View.TRADES if results.differs else Realized.View.BOTH
    own.filter(trade__isnull=False).exclude(view=view).update(view=view)
    if results.since is not None:
        _write_others_since(book, results, rows, results.since)
        return ""
    digest = others_digest(results)
    if digest == Book.objects.values_list("digest", flat=True).get(pk=book.pk):
        _rehang(book, results, rows)
        return digest
    own.filter(trade=None).delete()
    for row in results.others:
        row.book = book
    insert(results.others)
    Payment.objects.filter(book=book).delete()
    for payment, key in results.payments:
        payment.trade = rows.get(key)
    insert([payment for payment, _ in results.payments])
    return digest


def _write_others_since(
    book: Book, results: Results, rows: dict[str, Trade], since: datetime
) -> None:
    Realized.objects.filter(book=book, trade=None, closed_at__gt=since).delete()
    for row in results.others:
        row.book = book
    insert(results.others)
    Payment.objects.filter(book=book, time__gt=since).delete()
    for payment, key in results.payments:
        payment.trade = rows.get(key)
    insert([payment for payment, _ in results.payments])


def _rehang(book: Book, results: Results, rows: dict[str, Trade]) -> None:
    """Payments of trades whose rows went with their old keys."""
    with_key = sum(1 for _, key in results.payments if key in rows)
    if with_key == Payment.objects.filter(book=book, trade__isnull=False).count():
        return
    Payment.objects.filter(book=book).delete()
    for payment, key in results.payments:
        payment.trade = rows.get(key)
    insert([payment for payment, _ in results.payments])


def _write_problems(book: Book, results: Results) -> None:
    later = Q() if results.since is None else Q(time__gt=results.since) | Q(time=None)
    LedgerProblem.objects.filter(later, book=book).delete()
    LedgerProblem.objects.bulk_create(
        LedgerProblem(
            account_id=book.account_id,
            book=book,
            market=book.market,
            symbol=(problem.symbol or problem.asset or book.name)[:40],
            asset=problem.asset[:40],
            kind=problem.kind,
            fill_id=str(problem.fill_id)[:100],
            quantity=rounded(problem.quantity),
            worth=rounded(problem.worth),
            time=problem.time,
            message=ZEROS.sub(r"\1", problem.message),
        )
        for problem in results.problems
    )


def _worth_keeping(times: Sequence[datetime], newest: datetime) -> list[datetime]:
    """Of checkpoints in the order of time: the last one before the minutes whose prices may not be
    final yet, and in each of these the first, which is that one soon."""
    final = newest.replace(second=0, microsecond=0) - OPEN_MINUTES
    kept = [time for time in times if time < final][-1:]
    for time in times:
        if time >= final and (not kept or f"{time:%H:%M}" != f"{kept[-1]:%H:%M}"):
            kept.append(time)
    return kept


def _write_checkpoints(book: Book, results: Results) -> None:
    """Those that the results have made wrong go, and those that were the newest; but some stay, so
    that a minute whose prices become final is settled from one before it."""
    known = Checkpoint.objects.filter(book=book)
    if results.since is None:
        known.delete()
    else:
        known.filter(_outdated(known, results, results.since)).delete()
    Checkpoint.objects.bulk_create(
        Checkpoint(
            book=book,
            time=checkpoint.time,
            state=checkpoint.state,
            carried=msgspec.json.encode(checkpoint.carried),
            count=checkpoint.count,
            is_kept=checkpoint.is_kept,
        )
        for checkpoint in results.checkpoints
    )


def _outdated(known: "QuerySet[Checkpoint]", results: Results, since: datetime) -> Q:
    wrong = Q(time__gt=since)
    if not results.checkpoints:
        return wrong
    newest = max(checkpoint.time for checkpoint in results.checkpoints)
    passing = known.filter(is_kept=False, time__lte=since).order_by("time")
    times = list(passing.values_list("time", flat=True))
    return wrong | Q(is_kept=False) & ~Q(time__in=_worth_keeping(times, newest))
