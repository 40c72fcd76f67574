"""The ledger's results, kept in PostgreSQL: computed anew for the books that are due, written only
where something has changed, so that a trade keeps its row and its stamps.

A book is computed without a lock and written under one; where a row came in meanwhile it is
computed again. A book that cannot be built is parked with its reason and stops no other.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Case, When
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import notes, prices, protecting
from journal.books.carried import Carried
from journal.books.due import due_books, ensure_all, make_everything_due, pause_after
from journal.books.gathering import StartOver, gather
from journal.books.material import Start, prices_for
from journal.books.prices import Need
from journal.books.results import Results, results_of
from journal.books.writing import write
from journal.ledger.checkpoints import decoded
from journal.models import Book, Checkpoint, Fill, Preferences, Realized
from market.binance.errors import ExchangeError, MustWait, TryAgain
from market.jobs.guarding import IMPATIENT_MS, be_impatient, is_locked

log = structlog.get_logger(__name__)

FEE_COIN = "BNB"
# How often a book that changes while it is computed is computed again before it is left due.
MOST_TURNS = 3
# Of a history, as many fills are built while everybody waits.
LIGHT, LATELY = 2_000, timedelta(days=1)
# Less than what PostgreSQL waits before it looks for a deadlock (1 s).
PATIENT_MS = 900


def rebuild_due(
    account: ExchangeAccount,
    ask: Callable[..., Any] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    *,
    lightly: bool = False,
) -> list[str]:
    """Build the books that are due; returns their names. `ask` is a public GET for prices that are
    missing; without it what is known is used.

    `lightly`, for a thread that everybody waits for: only books that a row has made due, that are
    little work, and that nobody else is at. Else all rows are looked at, for books that none of
    them has made due. Raises ExchangeError where prices cannot be had, and OperationalError
    (`is_locked`) where another process is at a book, if `lightly`.
    """
    if not lightly:
        ensure_all(account)
    books = due_books().filter(account=account).select_related("account__user")
    # the coin that was traded before the one that paid its fee
    last = Case(When(name=FEE_COIN, then=1), default=0)
    due = list(books.order_by(last, "pk"))
    if lightly:
        due = [book for book in due if _is_light(book)]
    if ask is not None and due:
        _fetch_prices(due, ask)
    for number, book in enumerate(due):
        rebuild_guarded(book, waits=not lightly)
        if on_step is not None:
            on_step(number + 1, len(due))
    return [book.name for book in due]


def _is_light(book: Book) -> bool:
    """What came in lately always is; a history, which goes far back, only where it is small."""
    if book.changed_from > timezone.now() - LATELY:
        return True
    fills = Fill.objects.filter(account=book.account_id, time__gte=book.changed_from)
    return fills.order_by()[: LIGHT + 1].count() <= LIGHT


def _fetch_prices(due: list[Book], ask: Callable[..., Any]) -> None:
    """Of a book whose rows cannot even be gathered nothing is asked: it is parked when built. One
    whose prices cannot be had is built with what is known."""
    for book in due:
        try:
            prices.fetch(needs_of(book), ask)
        except (TryAgain, MustWait):
            raise
        except Exception:
            log.exception("book not priced", account=str(book.account_id), book=book.name)


def rebuild_guarded(book: Book, *, waits: bool = True) -> bool:
    """One book; what is wrong with it stays with it. False where it could not be built, or somebody
    is at it: then it is still due. Raises as `rebuild_due` does."""
    try:
        rebuild(book, waits=waits)
    except ExchangeError:
        raise
    except Exception as error:
        if is_locked(error):
            if waits:
                log.info("book left due", account=str(book.account_id), book=book.name)
                return False
            raise
        failures = book.failures + 1
        Book.objects.filter(pk=book.pk).update(
            problem=f"{type(error).__name__}: {error}"[:300],
            failures=failures,
            retry_at=timezone.now() + pause_after(failures),
        )
        log.exception("book not built", account=str(book.account_id), book=book.name)
        return False
    return True


def rebuild(book: Book, *, waits: bool = True) -> None:
    """One book. A killed process leaves it due; what another one has built meanwhile is left.
    Raises OperationalError (`is_locked`) where somebody holds the book or its rows: at once, or if
    it `waits` after what is not yet a deadlock, which would end the other's work instead."""
    was_due = book.built < book.version
    for turn in range(MOST_TURNS):
        row = Book.objects.select_related("account__user").get(pk=book.pk)
        if was_due and row.built >= row.version:
            return
        results = compute(row)
        with transaction.atomic():
            be_impatient(PATIENT_MS if waits else IMPATIENT_MS)
            locked = Book.objects.select_for_update(of=("self",)).get(pk=book.pk)
            if was_due and locked.built >= locked.version:
                return
            is_current = locked.version == row.version
            if not is_current and turn < MOST_TURNS - 1:
                continue
            columns = write(row, results)
            notes.follow(row, results.trades, is_part=results.since is not None)
            Book.objects.filter(pk=row.pk).update(
                built=row.version, problem="", failures=0, retry_at=None, **columns
            )
        # trades of other books too, which others may be at; what is not reached stays marked
        _protect(row.account, waits=waits)
        log.info(
            "book built", account=str(row.account_id), book=row.name, trades=len(results.trades)
        )
        return


def _protect(account: ExchangeAccount, *, waits: bool) -> None:
    if waits:
        protecting.protect_account(account)
        return
    try:
        with transaction.atomic():
            be_impatient()
            protecting.protect_account(account)
    except OperationalError as error:
        if not is_locked(error):
            raise


def compute(book: Book) -> Results:
    """What the book's rows come to, unsaved: from the newest checkpoint before all that has
    changed, else from the first row."""
    start = start_of(book)
    if start is not None:
        try:
            return _compute(book, start)
        except StartOver:
            log.info("book computed anew", account=str(book.account_id), book=book.name)
    return _compute(book, None)


def _compute(book: Book, start: Start | None) -> Results:
    material = gather(book, start)
    return results_of(material, prices_for(material))


def needs_of(book: Book) -> set[Need]:
    """What has to be priced before the book can be computed."""
    try:
        return gather(book, start_of(book)).needs
    except StartOver:
        return gather(book).needs


def start_of(book: Book) -> Start | None:
    """Where a book that is due can go on from."""
    if book.built >= book.version:
        return None
    before = Checkpoint.objects.filter(book=book, time__lt=book.changed_from)
    checkpoint = before.order_by("-time").first()
    if checkpoint is None:
        return None
    state = decoded(bytes(checkpoint.state))
    if state is None:
        return None
    carried = msgspec.json.decode(bytes(checkpoint.carried), type=Carried)
    has_tax = Realized.objects.filter(book=book, view=Realized.View.TAX).exists()
    if has_tax and not carried.differs:
        return None  # what made the views differ may be gone
    return Start(checkpoint.time, state, carried, checkpoint.count)


def follow_currency() -> None:
    """Users that want another report currency than their trades were computed in."""
    users = User.objects.filter(
        pk__in=ExchangeAccount.objects.filter(venue=settings.VENUE).values("user")
    )
    for user in users:
        chosen, _ = Preferences.objects.get_or_create(user=user)
        if chosen.built_currency != user.report_currency:
            with transaction.atomic():
                make_everything_due(user)
                chosen.built_currency = user.report_currency
                chosen.save(update_fields=["built_currency"])
