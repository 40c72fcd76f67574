"""Joining and cutting trades by hand: the sums stay, rebuilds keep it, and it can be undone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from decimal import localcontext
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import ExchangeAccount, User
from journal import ledger
from journal.books import rebuilding
from journal.books.due import make_everything_due
from journal.ledger.regroup import Wishes, regroup
from journal.models import Annotation, Book, Realized, Trade, TradeMerge, TradeSplit
from tests.journal.accounts import make_account, make_fill, trades_of

START = datetime(2026, 3, 2, tzinfo=UTC)
SUMS = ("quantity", "gross", "fees", "funding", "net")


def sums(trades: Any) -> dict[str, D]:
    return {name: sum((getattr(t, name) for t in trades), D(0)) for name in SUMS}


# --- pure ---------------------------------------------------------------------------------------


def a_fill(number: int, side: str, quantity: str, price: str) -> ledger.Fill:
    return ledger.Fill(
        id=number,
        time=START + timedelta(minutes=number),
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        side=side,
        price=D(price),
        quantity=D(quantity),
        fee=D("0.1"),
        fee_asset="USDT",
        market="usdm",
        account="me",
    )


def computed(fills: list[ledger.Fill], wishes: Wishes, funding: Any = ()) -> Any:
    found = ledger.compute(fills, funding=funding)
    times = {(fill.symbol, fill.id): fill.time for fill in fills}
    return found, regroup(found.trades, wishes, times, funding)


TRIP = [
    a_fill(1, "BUY", "2", "100"),
    a_fill(2, "SELL", "1", "110"),
    a_fill(3, "BUY", "1", "105"),
    a_fill(4, "SELL", "2", "120"),
]


def test_a_cut_gives_each_part_what_its_own_fills_closed() -> None:
    whole, found = computed(TRIP, Wishes(cuts={"me:usdm:BTCUSDT:BOTH:LONG:1": ["3"]}))
    first, second = found.trades
    assert (first.key, second.key) == (
        "me:usdm:BTCUSDT:BOTH:LONG:1",
        "me:usdm:BTCUSDT:BOTH:LONG:1/3",
    )
    assert (first.quantity, first.entry_price, first.exit_price, first.gross) == (1, 100, 110, 10)
    assert (second.quantity, second.gross) == (2, 35)
    assert (second.entry_price, second.exit_price) == (D("102.5"), 120)
    assert second.opened_at == START + timedelta(minutes=1)  # the lot that it closes first
    assert (first.fill_ids, second.fill_ids) == ((1, 2), (3, 4))
    assert sums(found.trades) == sums(whole.trades)
    assert set(found.by_hand.values()) == {"split"}


@pytest.mark.parametrize("cut", ["1", "2", "99"])
def test_a_cut_that_would_leave_a_part_without_a_result_does_nothing(cut: str) -> None:
    whole, found = computed(TRIP, Wishes(cuts={"me:usdm:BTCUSDT:BOTH:LONG:1": [cut]}))
    assert (found.trades, found.by_hand) == (whole.trades, {})


@pytest.mark.parametrize("amount", ["5", "3"])
def test_funding_goes_by_its_time(amount: str) -> None:
    """What was returned as a fee is none of it, and two that cancel each other stay apart."""
    funding = [
        ledger.Funding(
            f"f{at}",
            START + timedelta(minutes=at, seconds=30),
            "BTCUSDT",
            D(amount),
            "USDT",
            account="me",
            kind=kind,
        )
        for at, amount, kind in ((2, "-3", "special"), (2, "-1", "fee"), (3, amount, "special"))
    ]
    whole, found = computed(TRIP, Wishes(cuts={"me:usdm:BTCUSDT:BOTH:LONG:1": ["3"]}), funding)
    assert [trade.funding for trade in found.trades] == [-3, D(amount)]
    assert sums(found.trades) == sums(whole.trades)


def test_trades_are_joined_with_weighted_prices() -> None:
    fills = [
        a_fill(1, "BUY", "1", "100"),
        a_fill(2, "SELL", "1", "110"),
        a_fill(3, "BUY", "3", "120"),
        a_fill(4, "SELL", "3", "130"),
        a_fill(5, "SELL", "1", "200"),
        a_fill(6, "BUY", "1", "190"),
    ]
    keys = [trade.key for trade in ledger.compute(fills).trades]
    whole, found = computed(fills, Wishes(joined=dict.fromkeys(keys[1:], keys[0])))
    assert (found.trades, found.by_hand) == (whole.trades, {})  # one of them is a short
    whole, found = computed(fills, Wishes(joined={keys[1]: keys[0]}))
    joined = found.trades[0]
    assert (joined.quantity, joined.entry_price, joined.exit_price) == (4, 115, 125)
    assert (joined.opened_at, joined.closed_at) == (fills[0].time, fills[3].time)
    assert sums(found.trades) == sums(whole.trades)
    assert found.by_hand == {keys[0]: "merge"}


@given(
    st.lists(
        st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 5), st.integers(90, 110)),
        min_size=2,
        max_size=25,
    ),
    st.data(),
)
def test_no_cut_changes_a_sum(rows: list[tuple[str, int, int]], data: st.DataObject) -> None:
    fills = [a_fill(n + 1, s, str(q), str(p)) for n, (s, q, p) in enumerate(rows)]
    keys = [trade.key for trade in ledger.compute(fills).trades]
    cuts = {
        key: data.draw(st.lists(st.integers(1, len(rows)).map(str), max_size=4)) for key in keys
    }
    whole, found = computed(fills, Wishes(cuts=cuts))
    with localcontext(prec=60):
        for name in ("gross", "fees", "funding", "net"):
            assert abs(sums(whole.trades)[name] - sums(found.trades)[name]) < D("1e-50")
    assert len({trade.key for trade in found.trades}) == len(found.trades)


def test_a_cut_leaves_a_remainder_in_the_stack() -> None:
    rows = [("BUY", "1"), ("SELL", "0.999"), ("BUY", "1"), ("SELL", "0.5"), ("SELL", "0.501")]
    fills = [
        replace(a_fill(n, side, quantity, "100"), market="spot")
        for n, (side, quantity) in enumerate(rows, 1)
    ]
    rules = {"BTCUSDT": (D("0.01"), D(0))}
    found = ledger.compute(fills, rules=rules)
    times = {(fill.symbol, fill.id): fill.time for fill in fills}
    second, from_stack = found.all_trades[1:]
    assert (from_stack.kind, from_stack.quantity) == ("stack", D("0.001"))
    cut = regroup(found.all_trades, Wishes(cuts={second.key: ["5"]}), times)
    parts = [trade for trade in cut.trades if trade.key.startswith(second.key)]
    assert [trade.quantity for trade in parts] == [D("0.5"), D("0.5")]
    assert sums(parts) == sums([second])
    assert from_stack in cut.trades


def test_ids_of_two_pairs_of_a_coin_are_not_mixed_up_by_a_cut() -> None:
    """Sold as fill 1 of two pairs: each result is in its own part."""
    fills = [
        replace(a_fill(5, "BUY", "3", "100"), symbol="BTCUSDC", market="spot", time=START),
        replace(a_fill(1, "SELL", "1", "110"), symbol="BTCFDUSD", market="spot"),
        replace(a_fill(6, "SELL", "1", "120"), symbol="BTCUSDC", market="spot"),
        replace(a_fill(1, "SELL", "1", "130"), market="spot", time=START + timedelta(hours=1)),
    ]
    whole, found = computed(fills, Wishes(cuts={"me:spot:BTCUSDC:BOTH:LONG:5": ["6"]}))
    assert [(trade.quantity, trade.gross) for trade in found.trades] == [(D(1), 10), (D(2), 50)]
    assert sums(found.trades) == sums(whole.trades)


def test_of_several_cuts_a_useless_one_does_not_undo_the_others() -> None:
    key = "me:usdm:BTCUSDT:BOTH:LONG:1"
    whole, found = computed(TRIP, Wishes(cuts={key: ["2", "3"]}))
    assert [trade.fill_ids for trade in found.trades] == [(1, 2), (3, 4)]


def test_a_flip_between_merged_trades_keeps_its_lot() -> None:
    fills = [
        a_fill(1, "BUY", "1", "100"),
        a_fill(2, "SELL", "2", "110"),
        a_fill(3, "BUY", "2", "105"),
        a_fill(4, "SELL", "1", "120"),
    ]
    first, short, third = ledger.compute(fills).trades
    _whole, found = computed(fills, Wishes(joined={third.key: first.key}))
    lots = {(m.opened_by, m.closed_by, trade.key) for trade in found.trades for m in trade.matches}
    assert lots == {(1, 2, first.key), (2, 3, short.key), (3, 4, first.key)}


# --- kept ---------------------------------------------------------------------------------------


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = make_account(alice)
    trades_of(
        made,
        make_fill(made, 1, "BUY", "100"),
        make_fill(made, 2, "SELL", "110"),
        make_fill(made, 11, "BUY", "100", quantity="2"),
        make_fill(made, 12, "SELL", "95"),
        make_fill(made, 13, "SELL", "97"),
    )
    return made


def call(browser: Client, method: str, path: str, body: Any = None) -> Any:
    send = getattr(browser, method)
    return send(path, json.dumps(body), content_type="application/json")


@pytest.mark.django_db
def test_a_merge_survives_a_rebuild_keeps_notes_and_is_undone(
    account: ExchangeAccount, alices_browser: Client, alice: User
) -> None:
    first, second = Trade.objects.order_by("opened_at")
    Annotation.objects.create(user=alice, trade_key=first.key, note="first")
    Annotation.objects.create(user=alice, trade_key=second.key, note="second")
    before = sums(Trade.objects.all())
    said = call(alices_browser, "post", "/api/trades/merge", {"ids": [first.pk, second.pk]}).json()
    assert (said["key"], said["note"], said["by_hand"]) == (first.key, "first", "merge")
    assert sums(Trade.objects.all()) == before
    make_everything_due(alice)
    rebuilding.rebuild_due(account)
    [joined] = Trade.objects.all()
    assert (joined.trade_fills.count(), joined.realized.count()) == (5, 3)
    page = alices_browser.get(f"/trades/{joined.pk}/").content.decode()
    assert "Merged by hand" in page
    alices_browser.post(f"/trades/{joined.pk}/regroup/", {"do": "undo"})
    assert sums(Trade.objects.all()) == before
    assert Trade.objects.count() == 2
    assert TradeMerge.objects.count() == 0
    again = Trade.objects.get(key=second.key)
    assert alices_browser.get(f"/api/trades/{again.pk}").json()["note"] == "second"


@pytest.mark.django_db
def test_a_split_gives_two_trades_and_is_undone(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    whole = Trade.objects.order_by("opened_at").last()
    assert whole is not None
    before = sums(Trade.objects.all())
    fills = alices_browser.get(f"/api/trades/{whole.pk}").json()["fills"]
    path = f"/api/trades/{whole.pk}/split"
    said = call(alices_browser, "post", path, {"fill": fills[2]["id"]}).json()
    assert said["key"] == f"{whole.key}/13"
    assert sums(Trade.objects.all()) == before
    assert sum(row.net for row in Realized.objects.all()) == before["net"]
    parts = Trade.objects.filter(key__startswith=whole.key)
    assert sorted(parts.values_list("gross", flat=True)) == [D(-5), D(-3)]
    assert call(alices_browser, "delete", f"/api/trades/{said['id']}/split").status_code == 200
    assert (Trade.objects.count(), TradeSplit.objects.count()) == (2, 0)
    assert sums(Trade.objects.all()) == before


@pytest.mark.django_db
def test_wrong_wishes_are_refused_and_change_nothing(
    account: ExchangeAccount, alices_browser: Client, charlie: User
) -> None:
    first, second = Trade.objects.order_by("opened_at")
    fills = alices_browser.get(f"/api/trades/{second.pk}").json()["fills"]
    for path, body in (
        ("/api/trades/merge", {"ids": [first.pk]}),
        ("/api/trades/merge", {"ids": "all"}),
        ("/api/trades/merge", {"ids": [first.pk, 999_999]}),
        (f"/api/trades/{second.pk}/split", {"fill": 999_999}),
        (f"/api/trades/{second.pk}/split", {"fill": fills[0]["id"]}),
        (f"/api/trades/{second.pk}/split", {"fill": fills[1]["id"]}),  # nothing closed before it
        (f"/api/trades/{second.pk}/split", {}),
    ):
        answer = call(alices_browser, "post", path, body)
        assert answer.status_code == 400, (path, body, answer.content)
    assert (TradeMerge.objects.count(), TradeSplit.objects.count()) == (0, 0)
    assert Trade.objects.count() == 2
    theirs = make_account(charlie, "other")
    trades_of(theirs, make_fill(theirs, 1, "BUY", "1"), make_fill(theirs, 2, "SELL", "2"))
    mixed = [first.pk, Trade.objects.get(account=theirs).pk]
    assert call(alices_browser, "post", "/api/trades/merge", {"ids": mixed}).status_code == 400


@pytest.mark.django_db
def test_a_merge_asked_for_twice_and_one_whose_trade_has_gone_can_be_undone(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    first, second = Trade.objects.order_by("opened_at")
    body = {"ids": [first.pk, second.pk]}
    for key in (first.key, "of a trade that has another key now"):
        TradeMerge.objects.create(
            account=account, market="spot", symbol="BTCUSDT", key=key, other=second.key
        )
        assert call(alices_browser, "post", "/api/trades/merge", body).status_code == 200
        [joined] = Trade.objects.all()
        path = f"/api/trades/{joined.pk}/split"
        assert call(alices_browser, "delete", path).status_code == 200
        first, second = Trade.objects.order_by("opened_at")
        body = {"ids": [first.pk, second.pk]}
        assert TradeMerge.objects.count() == 0


@pytest.mark.django_db
def test_a_book_that_is_due_is_left_to_the_worker(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    """It may wait for prices of fees."""
    first, second = Trade.objects.order_by("opened_at")
    Book.objects.update(version=F("version") + 1)
    body = {"ids": [first.pk, second.pk]}
    assert call(alices_browser, "post", "/api/trades/merge", body).status_code == 202
    assert Book.objects.filter(built__lt=F("version")).exists()
    assert call(alices_browser, "post", "/api/trades/merge", body).status_code == 202
    rebuilding.rebuild_due(account)
    assert Trade.objects.get().by_hand == "merge"
