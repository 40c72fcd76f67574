"""A door that is at one account's history for minutes: the account's own others wait or are told,
and nobody else notices."""

import time
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import rebuilding
from journal.models import Balance, Book, Fill, Sync, Trade
from journal.stream import backlog, events
from journal.stream.backlog import Backlog
from journal.stream.keeping import Keeper
from journal.sync import running
from journal.sync.doorkeeping import Busy, lock
from journal.sync.saving import save_fills
from market.jobs.guarding import is_locked
from tests.conftest import eventually
from tests.journal.accounts import make_account, make_fill
from tests.journal.busy import another_door, at_it
from tests.journal.sync.test_ill import REPORT, well, working
from tests.journal.sync.told import list_symbol

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def busy(alice: User) -> ExchangeAccount:
    account = make_account(alice)
    Sync.objects.create(account=account)
    list_symbol("spot", "BTC", "USDT")
    return account


@pytest.fixture
def other(bob: User) -> ExchangeAccount:
    account = make_account(bob)
    Sync.objects.create(account=account)
    return account


def ids_of(account: ExchangeAccount) -> list[int]:
    return list(
        Fill.objects.filter(account=account).order_by("pk").values_list("trade_id", flat=True)
    )


def hear(keeper: Keeper, account: ExchangeAccount, *numbers: int) -> None:
    for number in numbers:
        keeper.hear(str(account.pk), {**REPORT, "t": number, "i": number})


def test_a_door_waits_as_long_as_it_can_and_says_so(busy: ExchangeAccount) -> None:
    with another_door(busy) as end:
        began = time.monotonic()
        with pytest.raises(Busy), transaction.atomic():
            lock(busy, 0.3)
        assert 0.2 < time.monotonic() - began < 5
        end()
        save_fills(busy, [make_fill(busy, 1, "BUY", "100")])
    assert ids_of(busy) == [1]


def test_events_wait_for_it_in_their_order_and_nobody_elses_do(
    busy: ExchangeAccount, other: ExchangeAccount
) -> None:
    with another_door(busy) as end:

        async def work(keeper: Keeper) -> None:
            hear(keeper, busy, 3, 1, 2)
            keeper.hear(str(busy.pk), well("5"))
            hear(keeper, other, 7, 8)
            ask = keeper._database.run
            await eventually(lambda: ask(lambda: ids_of(other) == [7, 8]), 5)
            await eventually(lambda: len(keeper.backlog) == 4)
            assert await ask(ids_of, busy) == []
            assert not await ask(Balance.objects.exists), "what came after it waits too"
            end()
            await eventually(lambda: ask(lambda: ids_of(busy) == [3, 1, 2]))
            await eventually(lambda: ask(Balance.objects.exists))
            assert str(busy.pk) not in keeper.backlog

        working(work, "save")
    assert not Sync.objects.filter(is_due=True).exists(), "nothing had to be asked for"


def test_a_book_that_is_held_is_not_waited_for_either(
    busy: ExchangeAccount, other: ExchangeAccount
) -> None:
    save_fills(busy, [make_fill(busy, 1, "BUY", "100")])
    book = Book.objects.get()
    with at_it(lambda: Book.objects.select_for_update().get(pk=book.pk)) as end:

        async def work(keeper: Keeper) -> None:
            hear(keeper, busy, 2)
            hear(keeper, other, 7)
            ask = keeper._database.run
            await eventually(lambda: ask(lambda: ids_of(other) == [7]), 5)
            await eventually(lambda: str(busy.pk) in keeper.backlog)
            end()
            await eventually(lambda: ask(lambda: ids_of(busy) == [1, 2]))

        working(work, "save")


def test_books_at_which_somebody_is_are_built_when_he_is_done(
    busy: ExchangeAccount, other: ExchangeAccount
) -> None:
    save_fills(busy, [make_fill(busy, 1, "BUY", "100")])
    save_fills(other, [make_fill(other, 1, "BUY", "100")])
    book = Book.objects.get(account=busy)
    with at_it(lambda: Book.objects.select_for_update().get(pk=book.pk)) as end:
        with pytest.raises(OperationalError) as refused:
            rebuilding.rebuild_due(busy, lightly=True)
        assert is_locked(refused.value)

        async def work(keeper: Keeper) -> None:
            keeper._to_build |= {str(busy.pk), str(other.pk)}
            ask = keeper._database.run
            await eventually(lambda: ask(Trade.objects.filter(account=other).exists), 10)
            end()
            await eventually(lambda: ask(Trade.objects.filter(account=busy).exists), 20)

        working(work, "build")
    book.refresh_from_db()
    assert (book.failures, book.problem, book.retry_at) == (0, "", None)


def test_a_whole_history_is_left_to_a_worker(
    busy: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "LIGHT", 2)
    save_fills(busy, [make_fill(busy, number, "BUY", "100") for number in (1, 2, 3)])
    events.rebuild(busy)
    assert not Trade.objects.exists()
    Book.objects.update(changed_from=timezone.now())
    events.rebuild(busy)
    assert Trade.objects.exists(), "of lately, whatever it takes"
    save_fills(busy, [make_fill(busy, 4, "BUY", "100", symbol="ETHUSDT", base="ETH")])
    events.rebuild(busy)
    assert Trade.objects.filter(base="ETH").exists(), "two are few"


def test_a_synchronisation_goes_on_with_the_next_round(
    busy: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads(run: Any) -> None:
        with transaction.atomic():
            lock(run.account, 0.1)

    monkeypatch.setattr(running, "_run", reads)
    with another_door(busy) as end:
        assert running.synchronise(str(busy.pk))
        sync = Sync.objects.get()
        assert (sync.state, sync.note, sync.holder) == (Sync.State.WAITING, "", "")
        end()
        assert running.synchronise(str(busy.pk))
    assert Sync.objects.get().state == Sync.State.COMPLETE


# --- what waits, without a database ------------------------------------------------------------


def test_what_waits_too_long_is_given_up() -> None:
    now = [0.0]
    waiting = Backlog(lambda: now[0])
    assert waiting.add("a", {"n": 1})
    assert waiting.add("a", {"n": 2})
    assert waiting.ready() == [("a", {"n": 1})]
    assert waiting.refused("a")
    assert waiting.ready() == [], "its pause"
    now[0] = 1
    waiting.kept("a")
    assert waiting.ready() == [("a", {"n": 2})]
    now[0] = backlog.LONGEST_SECONDS + 1
    assert not waiting.refused("a")
    assert "a" not in waiting
    assert waiting.ready() == []


def test_what_has_no_room_is_given_up_with_all_of_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backlog, "MOST_EVENTS", 3)
    waiting = Backlog()
    for account, number in (("a", 1), ("b", 1), ("a", 2)):
        assert waiting.add(account, {"n": number})
    assert not waiting.add("a", {"n": 3})
    assert ("a" in waiting, "b" in waiting, len(waiting)) == (False, True, 1)
