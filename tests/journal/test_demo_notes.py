"""What the made-up trader wrote: on most old trades, on none of its owner's notes, all at once."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from journal.books.notes import refs_of
from journal.models import Annotation, Setup, Tag, Trade
from journal.services import annotating, demo_notes
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
TRADES = 40


@pytest.fixture
def trades(alice: User) -> list[Trade]:
    """A trade each day, oldest first."""
    account = make_account(alice, "Demo")
    fills = []
    for number in range(TRADES):
        day = START + timedelta(days=number)
        fills.append(make_fill(account, 2 * number + 1, "BUY", "100", time=day))
        sold = day + timedelta(hours=1)
        fills.append(make_fill(account, 2 * number + 2, "SELL", "99", time=sold))
    trades_of(account, *fills)
    return list(Trade.objects.filter(account=account).order_by("opened_at"))


def test_most_old_trades_are_reviewed_and_the_newest_wait(alice: User, trades: list[Trade]) -> None:
    count = demo_notes.review_some(alice, trades[0].account)
    notes = list(Annotation.objects.filter(user=alice))
    assert len(notes) == count
    # three of four of those that are old, by dice of the user's own
    assert TRADES / 4 < count < TRADES - 10
    by_key = {trade.key: trade for trade in trades[:-10]}
    assert {note.trade_key for note in notes} < by_key.keys()
    for note in notes:
        trade = by_key[note.trade_key]
        assert note.fills == refs_of(trade)
        assert note.initial_stop == note.planned_stop
        assert note.planned_stop is not None
        assert 95 < note.planned_stop < 100
        assert note.reviewed_at is not None
        assert note.setup is not None
        assert note.rules_kept is not None
    assert Tag.objects.filter(user=alice, kind="mistake", annotations__in=notes).exists()
    assert not Tag.objects.filter(user=alice, annotations=None).exists()


def test_what_its_owner_has_written_stays(alice: User, trades: list[Trade]) -> None:
    for trade in trades[:20]:
        annotating.annotate(user=alice, trade=trade, changes={"note": "mine"})
    demo_notes.review_some(alice, trades[0].account)
    own = Annotation.objects.filter(user=alice, trade_key__in=[t.key for t in trades[:20]])
    assert {note.note for note in own} == {"mine"}
    assert own.count() == 20
    assert demo_notes.review_some(alice, trades[0].account) < TRADES - 20, "twice is not twice"
    keys = Annotation.objects.filter(user=alice).values_list("trade_key", flat=True)
    assert len(keys) == len(set(keys))


def test_its_queries_do_not_grow_with_the_trades(
    alice: User, trades: list[Trade], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Setup.objects.all().delete()
    with django_assert_max_num_queries(70):
        demo_notes.review_some(alice, trades[0].account)
