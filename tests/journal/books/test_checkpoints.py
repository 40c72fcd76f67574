"""Rows that come one after the other give the rows that a rebuild from nothing gives."""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db.models import F, Model

from accounts.models import ExchangeAccount, User
from journal.books import rebuilding
from journal.books.due import make_everything_due
from journal.books.rebuilding import rebuild_due
from journal.models import (
    Book,
    Checkpoint,
    Fill,
    FillMark,
    Income,
    LedgerProblem,
    OpeningBalance,
    OpeningPosition,
    OpenPosition,
    Payment,
    Realized,
    Trade,
    TradeFill,
    Transfer,
)
from journal.services.histories import History
from journal.services.trying import account_to_try
from journal.sync.saving import save_fills, save_income, save_transfers
from tests.journal.accounts import START, make_account, make_fill
from tests.money.histories import random_case
from tests.money.model import METHODS

pytestmark = pytest.mark.django_db
LEFT_OUT = {"id", "account", "book", "trade", "stamp_due_at", "protected_at", "digest"}
ROWS = (Fill, Transfer, Income)
Row = Fill | Transfer | Income


def told(case: dict[str, Any], method: str, currency: str = "USD") -> ExchangeAccount:
    """An account with the whole history, its prices kept and its books built."""
    account = account_to_try(method, currency)
    history = History(account, case)
    history.save()
    history.build()
    return account


def another(account: ExchangeAccount, method: str, currency: str = "USD") -> ExchangeAccount:
    """One without rows, of which the same was told beside them."""
    twin = account_to_try(method, currency)
    for model in (FillMark, OpeningBalance, OpeningPosition):
        for row in model.objects.filter(account=account):
            copied(row, twin).save()
    return twin


def copied(row: Any, account: ExchangeAccount) -> Any:
    row = copy(row)
    row.pk, row.account = None, account
    row._state.adding = True
    return row


def rows_of(account: ExchangeAccount) -> list[Row]:
    rows: list[Row] = []
    for model in ROWS:
        rows += model.objects.filter(account=account).order_by("time", "pk")
    return sorted(rows, key=lambda row: row.time)


def keep(account: ExchangeAccount, rows: Sequence[Row]) -> None:
    fresh = [copied(row, account) for row in rows]
    save_fills(account, [row for row in fresh if isinstance(row, Fill)])
    save_transfers(account, [row for row in fresh if isinstance(row, Transfer)])
    save_income(account, [row for row in fresh if isinstance(row, Income)])
    rebuild_due(account)


def by_moment(rows: Iterable[Row]) -> list[list[Row]]:
    moments: dict[datetime, list[Row]] = {}
    for row in rows:
        moments.setdefault(row.time, []).append(row)
    return [moments[moment] for moment in sorted(moments)]


def everything(account: ExchangeAccount) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the books, without what a row is called here."""
    parts: dict[str, list[tuple[Any, ...]]] = {}
    models: list[type[Model]] = [Trade, Realized, Payment, OpenPosition, LedgerProblem]
    for model in models:
        names = [f.attname for f in model._meta.concrete_fields if f.name not in LEFT_OUT]
        if model in {Realized, Payment}:
            names.append("trade__key")
        if model is not OpenPosition and model is not Trade:
            names.append("book__name")
        rows = model._default_manager.filter(account=account).values_list(*names)
        parts[model.__name__] = sorted((without(row, account) for row in rows), key=repr)
    fills = TradeFill.objects.filter(trade__account=account)
    parts["TradeFill"] = sorted(
        without(row, account)
        for row in fills.values_list("trade__key", "fill__symbol", "fill__trade_id", "is_entry")
    )
    books = Book.objects.filter(account=account)
    parts["Book"] = sorted(books.values_list("name", "exchange_realized", "moved", "booked"))
    return parts


def without(row: Sequence[Any], account: ExchangeAccount) -> tuple[Any, ...]:
    return tuple(v.replace(str(account.pk), "") if isinstance(v, str) else v for v in row)


def anew(account: ExchangeAccount) -> dict[str, list[tuple[Any, ...]]]:
    Checkpoint.objects.filter(book__account=account).delete()
    make_everything_due(account.user)
    rebuild_due(account)
    return everything(account)


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What only one of them has, by table."""
    return {
        name: (
            [r for r in one[name] if r not in other[name]],
            [r for r in other[name] if r not in one[name]],
        )
        for name in one
        if one[name] != other[name]
    }


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each book that was computed, whether it went on from a checkpoint."""
    seen: list[bool] = []
    start_of: Callable[..., Any] = rebuilding.start_of

    def watched(book: Book) -> Any:
        start = start_of(book)
        seen.append(start is not None)
        return start

    monkeypatch.setattr(rebuilding, "start_of", watched)
    return seen


@pytest.mark.parametrize("seed", range(10))
def test_rows_in_the_order_of_time(seed: int, starts: list[bool]) -> None:
    method, currency = METHODS[seed % len(METHODS)], ("USD", "EUR")[seed % 2]
    case = random_case(
        seed, rows=(10, 24), moving=seed % 2 == 1, openings=False, begins_inside=False
    )
    account = told(case, method, currency)
    twin = another(account, method, currency)
    starts.clear()
    for rows in by_moment(rows_of(account)):
        keep(twin, rows)
    assert sum(starts) > 0
    built = everything(twin)
    assert differences(built, anew(twin)) == {}
    assert differences(built, everything(account)) == {}


@pytest.mark.parametrize("seed", range(20, 26))
def test_rows_in_any_order(seed: int, starts: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Some come late: their books go on from a checkpoint before them, which stands every two."""
    monkeypatch.setattr("journal.books.material.CHECKPOINT_EVERY", 2)
    monkeypatch.setattr("journal.books.results.CHECKPOINT_EVERY", 2)
    method = METHODS[seed % len(METHODS)]
    account = told(random_case(seed, rows=(10, 24), priced=True, begins_inside=False), method)
    twin = another(account, method)
    moments = by_moment(rows_of(account))
    dice = Random(seed)
    late = [moments.pop(dice.randrange(len(moments))) for _ in range(min(4, len(moments) - 1))]
    for rows in [*moments, *late]:
        keep(twin, rows)
    assert sum(starts) > 0
    assert differences(everything(twin), anew(twin)) == {}


def test_a_checkpoint_that_cannot_be_read_is_as_none(starts: list[bool]) -> None:
    account = told(random_case(1, spot=True, futures=False, priced=True), "fifo")
    before = everything(account)
    Checkpoint.objects.filter(book__account=account).update(state=b"{}")
    make_everything_due(account.user)
    Book.objects.filter(account=account).update(changed_from=datetime(2100, 1, 1, tzinfo=UTC))
    starts.clear()
    rebuild_due(account)
    assert not any(starts)
    assert everything(account) == before


def test_a_minute_that_is_settled_is_computed_from_before_it(
    alice: User, starts: list[bool]
) -> None:
    """Fills 40 seconds apart; after each the minutes that prices are still asked for are due."""
    account = make_account(alice)
    begun = START.replace(second=0, microsecond=0)
    for number in range(1, 16):
        at = begun + timedelta(seconds=40 * number)
        side = "BUY" if number % 2 else "SELL"
        save_fills(account, [make_fill(account, number, side, f"{100 + number}", time=at)])
        rebuild_due(account)
        if number < 5:
            continue
        starts.clear()
        for minutes in (0, 1):
            minute = at.replace(second=0) - timedelta(minutes=minutes)
            Book.objects.filter(account=account, name="BTC").update(
                version=F("version") + 1, changed_from=minute
            )
            rebuild_due(account)
        assert (number, starts) == (number, [True, True])
        passing = Checkpoint.objects.filter(book__account=account, book__name="BTC", is_kept=False)
        assert passing.count() <= 4
    assert differences(everything(account), anew(account)) == {}


def test_nothing_after_the_newest_checkpoint_leaves_it_as_it_is(alice: User) -> None:
    """A row that made the book due and was taken back."""
    account = make_account(alice)
    save_fills(account, [make_fill(account, 1, "BUY", "100")])
    rebuild_due(account)
    before = everything(account)
    own = Checkpoint.objects.filter(book__account=account)
    stood = list(own.values_list("book__name", "time"))
    Book.objects.filter(account=account).update(
        version=F("version") + 1, changed_from=datetime(2100, 1, 1, tzinfo=UTC)
    )
    rebuild_due(account)
    assert not Book.objects.filter(account=account, built__lt=F("version")).exists()
    assert list(own.values_list("book__name", "time")) == stood
    assert everything(account) == before
