"""What is kept: computed once, told how far it is, and computed anew when the trades change."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from journal.filters import TradeFilter
from journal.insight import ids, keeping, parts
from journal.insight.parts import PAGES, Kind
from journal.insight.question import Made, Question
from journal.models import Annotation, InsightPart, InsightTrades, Trade, TradesVersion
from journal.selectors.preferences import preferences_of
from tests.journal.accounts import make_account, make_fill, some_trades, trades_of
from tests.journal.insight.tapes import computed

pytestmark = pytest.mark.django_db
PART = "counted"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A part that counts trades; how many it found each time that it was computed."""
    counts: list[int] = []

    def compute(question: Question) -> Made:
        found = list(question.trades.order_by("closed_at").values_list("pk", flat=True))
        counts.append(len(found))
        return Made({"count": len(found)}, {("all", ""): found, ("none", ""): []})

    monkeypatch.setitem(parts.PARTS, PART, Kind(compute))
    return counts


def ask(user: User, **filters: Any) -> keeping.Kept:
    return keeping.ask(user, PART, TradeFilter(**filters), preferences_of(user))


def test_nothing_is_there_until_a_worker_has_computed_it(alice: User, made: list[int]) -> None:
    some_trades(make_account(alice))
    first, second = ask(alice), ask(alice)
    assert (first.answer, first.is_computing, first.is_due) == (None, True, True)
    assert not second.is_due  # somebody was asked a moment ago
    assert keeping.compute(first.part.pk)
    kept = ask(alice)
    assert (kept.answer, kept.is_fresh, kept.is_computing) == ({"count": 3}, True, False)
    assert not keeping.compute(first.part.pk)
    assert made == [3]


def test_a_silent_worker_is_asked_again(alice: User, made: list[int]) -> None:
    part = ask(alice).part
    InsightPart.objects.filter(pk=part.pk).update(beat_at=timezone.now() - timedelta(minutes=1))
    assert ask(alice).is_due


def test_new_trades_make_it_old_and_the_old_one_stays_to_read(alice: User, made: list[int]) -> None:
    account = make_account(alice)
    some_trades(account)
    computed(alice, PART)
    trades_of(account, make_fill(account, 41, "SELL", "106"))
    kept = ask(alice)
    assert (kept.answer, kept.is_recent, kept.is_due) == ({"count": 3}, True, False)
    assert not keeping.compute(kept.part.pk)  # two minutes of calm
    InsightPart.objects.update(computed_at=timezone.now() - keeping.CALM)
    kept = ask(alice)
    assert (kept.answer, kept.is_computing, kept.is_due) == ({"count": 3}, True, True)
    keeping.compute(kept.part.pk)
    assert ask(alice).answer == {"count": 4}


@pytest.mark.parametrize("what", ["stamp", "note", "zone"])
def test_everything_that_it_is_made_of_makes_it_old(
    alice: User, made: list[int], what: str
) -> None:
    account = make_account(alice)
    some_trades(account)
    assert computed(alice, PART).is_fresh
    if what == "stamp":
        TradesVersion.objects.raise_for([account.pk])
    elif what == "note":
        Annotation.objects.create(user=alice, trade_key="x", note="late")
    else:
        chosen = preferences_of(alice)
        chosen.zone = "Asia/Seoul"
        chosen.save()
    assert not ask(alice).is_fresh


def test_each_filter_is_kept_by_itself_and_nobody_gets_anothers(
    alice: User, bob: User, made: list[int]
) -> None:
    some_trades(make_account(alice))
    some_trades(make_account(bob))
    mine = ask(alice)
    longs = ask(alice, direction="LONG")
    assert longs.part.pk != mine.part.pk
    keeping.compute(longs.part.pk)
    assert ask(alice, direction="LONG").answer == {"count": 2}
    assert ask(bob).part.pk not in {mine.part.pk, longs.part.pk}


def test_the_trades_behind_a_number_are_kept_with_it(alice: User, made: list[int]) -> None:
    some_trades(make_account(alice))
    part = computed(alice, PART).part
    trades = list(Trade.objects.closed().order_by("closed_at").values_list("pk", flat=True))
    assert keeping.trades_of(part, "all", "") == trades
    assert keeping.trades_of(part, "none", "") is None
    assert InsightTrades.objects.get(part=part).count == 3


def test_what_fails_is_begun_three_times_and_given_up(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(question: Question) -> Made:
        raise ArithmeticError

    monkeypatch.setitem(parts.PARTS, PART, Kind(fails))
    some_trades(make_account(alice))
    part = ask(alice).part
    for _ in range(keeping.MOST_TRIES):
        with pytest.raises(ArithmeticError):
            keeping.compute(part.pk)
    kept = ask(alice)
    assert (kept.is_given_up, kept.is_due, kept.is_computing) == (True, False, False)
    assert not keeping.compute(part.pk)


def test_what_nobody_looks_at_is_forgotten(alice: User, made: list[int]) -> None:
    old = ask(alice, direction="SHORT").part
    InsightPart.objects.filter(pk=old.pk).update(asked_at=timezone.now() - timedelta(days=15))
    computed(alice, PART)
    assert not InsightPart.objects.filter(pk=old.pk).exists()


def test_lists_of_ids_come_back_as_they_were() -> None:
    assert ids.unpack(ids.pack([7, 3, 2**40, 9])) == [7, 3, 2**40, 9]
    assert ids.unpack(ids.pack([])) == []


@pytest.mark.parametrize("name", [name for name in PAGES if name not in {"findings", "rules"}])
def test_a_page_says_that_it_is_being_computed_and_turns(
    alice: User, alices_browser: Client, name: str
) -> None:
    some_trades(make_account(alice))
    page = alices_browser.get(f"/insight/{name}/").content.decode()
    assert "data-computing" in page
    told = alices_browser.get(f"/api/insight/{name}")
    assert (told.status_code, told.json()["state"]) == (202, "computing")
    part = InsightPart.objects.get(user=alice, name=name)
    InsightPart.objects.filter(pk=part.pk).update(done=3, expected=9)
    waiting = alices_browser.get(f"/insight/{name}/", headers={"X-Part": "refresh"})
    assert "<html" not in waiting.content.decode()
    assert 'max="9" value="3"' in waiting.content.decode()
    keeping.compute(part.pk)
    ready = alices_browser.get(f"/insight/{name}/", headers={"X-Part": "refresh"})
    assert "data-computing" not in ready.content.decode()
    told = alices_browser.get(f"/api/insight/{name}")
    assert (told.status_code, told.json()["state"]) == (200, "ready")


def test_an_unknown_part_is_refused(alices_browser: Client) -> None:
    assert alices_browser.get("/insight/moon/").status_code == 404
    assert alices_browser.get("/api/insight/moon").status_code == 404
    assert alices_browser.get("/insight/trades/?part=moon&by=all").status_code == 404
