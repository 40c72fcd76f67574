"""A door that is at one account's history for minutes: the account's own others wait or are told,
and nobody else notices."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import comparing, rebuilding
from journal.models import Balance, Book, Difference, Fill, FillFlow, Order, Sync, Trade
from journal.stamps import stamping
from journal.stream import backlog, events
from journal.stream.backlog import Backlog
from journal.stream.keeping import Keeper
from journal.sync import running
from journal.sync.doorkeeping import Busy, lock
from journal.sync.saving import save_fills
from market.jobs.guarding import is_locked
from market.models import Instrument, PastNews
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


def test_fills_wait_for_it_in_their_order_and_nothing_else_does(
    busy: ExchangeAccount, other: ExchangeAccount
) -> None:
    with another_door(busy) as end:

        async def work(keeper: Keeper) -> None:
            hear(keeper, busy, 3, 1, 2)
            keeper.hear(str(busy.pk), well("5"))
            hear(keeper, other, 7, 8)
            ask = keeper._database.run
            await eventually(lambda: ask(lambda: ids_of(other) == [7, 8]), 5)
            await eventually(lambda: len(keeper.backlog) == 3)
            assert await ask(ids_of, busy) == []
            orders = Order.objects.filter(account=busy, status="FILLED")
            assert await ask(orders.count) == 3, "trading looks at them"
            assert await ask(Balance.objects.filter(account=busy).exists)
            assert str(busy.pk) not in keeper._to_build
            end()
            await eventually(lambda: ask(lambda: ids_of(busy) == [3, 1, 2]))
            await eventually(lambda: str(busy.pk) not in keeper.backlog)
            assert str(busy.pk) in keeper._to_build

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
            await eventually(lambda: f"{busy.pk} rows" in keeper.backlog)
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


def test_a_synchronisation_goes_on_with_the_next_round(busy: ExchangeAccount) -> None:
    with another_door(busy):
        assert running.synchronise(str(busy.pk))
    sync = Sync.objects.get()
    assert (sync.state, sync.note, sync.holder) == (Sync.State.WAITING, "", "")


def test_what_was_waited_for_too_long_is_asked_for(
    busy: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "LONGEST_SECONDS", 0.1)
    with another_door(busy):

        async def work(keeper: Keeper) -> None:
            hear(keeper, busy, 1, 2)
            await eventually(lambda: keeper._database.run(Sync.objects.filter(is_due=True).exists))
            assert str(busy.pk) not in keeper.backlog

        working(work, "save")


def test_what_has_no_room_is_asked_for(
    busy: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "MOST_EVENTS", 1)
    with another_door(busy):

        async def work(keeper: Keeper) -> None:
            hear(keeper, busy, 1, 2)
            await eventually(lambda: keeper._database.run(Sync.objects.filter(is_due=True).exists))

        working(work, "save")


def test_a_rebuild_gives_way_to_what_replaces_its_fills(busy: ExchangeAccount) -> None:
    save_fills(busy, [make_fill(busy, 1, "BUY", "100")])
    book, fill = Book.objects.get(), Fill.objects.get()
    with at_it(lambda: Fill.objects.select_for_update().get(pk=fill.pk)):
        began = time.monotonic()
        assert not rebuilding.rebuild_guarded(book)
        assert time.monotonic() - began < 10
    book.refresh_from_db()
    assert (book.built, book.failures, book.problem) == (0, 0, "")
    assert not Trade.objects.exists()
    assert rebuilding.rebuild_guarded(book)
    assert Trade.objects.exists()


def test_a_fill_that_is_being_replaced_is_stamped_later_and_the_others_now(
    busy: ExchangeAccount, other: ExchangeAccount
) -> None:
    for account in (busy, other):
        save_fills(account, [make_fill(account, 1, "BUY", "100")])
    held = Fill.objects.get(account=busy)
    with at_it(lambda: Fill.objects.filter(pk=held.pk).update(price=1)):
        stamping.stamp_due()
    assert list(FillFlow.objects.values_list("fill__account", flat=True)) == [other.pk]
    stamping.stamp_due()
    assert FillFlow.objects.count() == 2


def test_an_older_comparison_does_not_take_the_place_of_a_newer_one(busy: ExchangeAccount) -> None:
    save_fills(busy, [make_fill(busy, 1, "BUY", "100")])
    comparing.compare(busy)
    before = set(Difference.objects.values_list("pk", flat=True))
    Difference.objects.update(compared_at=timezone.now() + timedelta(minutes=1))
    comparing.compare(busy)
    assert set(Difference.objects.values_list("pk", flat=True)) == before != set()
    Difference.objects.update(compared_at=timezone.now())
    comparing.compare(busy)
    assert not before & set(Difference.objects.values_list("pk", flat=True))


def test_news_that_meet_a_book_at_work_are_heard_again(busy: ExchangeAccount) -> None:
    save_fills(busy, [make_fill(busy, 1, "BUY", "100")])
    rebuilding.rebuild_due(busy)
    trade, at = Trade.objects.get(), int(Fill.objects.get().time.timestamp())
    Trade.objects.update(stamp_due_at=None)
    instrument = Instrument.objects.create(
        venue="simulator", market="spot", symbol="BTCUSDT", band_set="usd-1"
    )
    PastNews.objects.create(instrument=instrument, start=at - 60, end=at + 60)
    with at_it(lambda: Trade.objects.filter(pk=trade.pk).select_for_update().get()):
        stamping._hear_news()
        assert PastNews.objects.exists()
    stamping._hear_news()
    assert not PastNews.objects.exists()
    trade.refresh_from_db()
    assert trade.stamp_due_at is not None


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
    assert waiting.add("a", {"n": 3})
    now[0] = backlog.LONGEST_SECONDS + 0.5
    assert not waiting.refused("a"), "since it came itself"
    assert "a" not in waiting
    assert waiting.ready() == []


def test_what_has_no_room_is_given_up_with_all_of_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backlog, "MOST_EVENTS", 2)
    waiting = Backlog()
    for account, number in (("a", 1), ("b", 1), ("a", 2)):
        assert waiting.add(account, {"n": number})
    assert not waiting.add("a", {"n": 3})
    assert ("a" in waiting, "b" in waiting, len(waiting)) == (False, True, 1)
