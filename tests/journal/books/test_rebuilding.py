"""Books as they are rebuilt: the guard, rows that come meanwhile, methods, rules by their time, and
notes that follow their fills."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import rebuilding, writing
from journal.books.due import due_books, ensure_all, make_everything_due, pause_after
from journal.books.gathering import gather
from journal.books.material import Start
from journal.models import (
    Annotation,
    AssetPrice,
    Book,
    FillMark,
    Preferences,
    Realized,
    Screenshot,
    SeenRules,
    Trade,
    TradeMerge,
    TradeSplit,
)
from journal.services.annotating import annotate
from journal.sync.saving import save_fills
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


def built(account: ExchangeAccount) -> None:
    make_everything_due(account.user)
    rebuilding.rebuild_due(account)


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = make_account(alice)
    return made


# --- the guard ------------------------------------------------------------------------------------


def ill(book: Book, start: Start | None = None) -> Any:
    if book.name == "BTC":
        raise ZeroDivisionError("an ill row")
    return gather(book, start)


def test_a_book_that_cannot_be_built_stops_no_other(
    account: ExchangeAccount, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = make_account(charlie, "other")
    monkeypatch.setattr(rebuilding, "gather", ill)
    for each in (account, theirs):
        trades_of(
            each,
            make_fill(each, 1, "BUY", "100"),
            make_fill(each, 2, "BUY", "10", symbol="ETHUSDT", base="ETH"),
        )
        assert [t.base for t in Trade.objects.filter(account=each)] == ["ETH"]
        parked = Book.objects.get(account=each, name="BTC")
        assert (parked.problem, parked.failures) == ("ZeroDivisionError: an ill row", 1)
        assert parked.retry_at is not None
        assert parked.built < parked.version


def test_a_parked_book_waits_longer_each_time_and_is_well_again(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "gather", ill)
    trades_of(account, make_fill(account, 1, "BUY", "100"))
    mine = Book.objects.filter(account=account, name="BTC")
    waits = []
    for _ in range(3):
        book = mine.get()
        assert book.retry_at is not None
        waits.append(book.retry_at - timezone.now())
        assert rebuilding.rebuild_due(account) == []  # its time has not come
        mine.update(retry_at=timezone.now() - timedelta(seconds=1))
        assert rebuilding.rebuild_due(account) == ["BTC"]
    assert timedelta(0) < waits[0] < waits[1] < waits[2] < timedelta(minutes=10)
    assert mine.get().failures == 4
    monkeypatch.setattr(rebuilding, "gather", gather)
    mine.update(retry_at=timezone.now() - timedelta(seconds=1))
    rebuilding.rebuild_due(account)
    book = mine.get()
    assert (book.problem, book.failures, book.retry_at) == ("", 0, None)
    assert Trade.objects.get().is_open


def test_a_pause_has_an_end() -> None:
    assert pause_after(0) == timedelta(minutes=1)
    assert pause_after(50) == timedelta(hours=6)


def test_a_row_that_comes_while_a_book_is_computed_is_in_it(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []

    def slow(book: Book, start: Start | None = None) -> Any:
        material = gather(book, start)
        if not turns:
            make_fill(account, 2, "SELL", "110").save()
            Book.objects.filter(account=account).update(version=F("version") + 1)
        turns.append(book.version)
        return material

    monkeypatch.setattr(rebuilding, "gather", slow)
    trades_of(account, make_fill(account, 1, "BUY", "100"))
    assert len(turns) == 2
    assert not Trade.objects.get().is_open
    assert not due_books().exists()


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_another_process_has_built_is_not_written_again(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    save_fills(account, [make_fill(account, 1, "BUY", "100")])
    ensure_all(account)
    book = due_books().get(account=account)
    real_write, real_compute = writing.write, rebuilding.compute
    written: list[str] = []

    def build_elsewhere() -> None:
        monkeypatch.setattr(rebuilding, "compute", real_compute)
        rebuilding.rebuild(Book.objects.get(pk=book.pk))

    def compute(row: Book) -> Any:
        build_elsewhere()
        return real_compute(row)

    def write(row: Book, results: Any) -> dict[str, Any]:
        written.append(row.name)
        return real_write(row, results)

    monkeypatch.setattr(rebuilding, "write", write)
    if when == "before":
        build_elsewhere()
    else:
        monkeypatch.setattr(rebuilding, "compute", compute)
    rebuilding.rebuild(book)
    assert written == [book.name]
    assert not due_books().filter(account=account).exists()


def test_a_book_that_never_rests_is_written_and_stays_due(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restless(book: Book, start: Start | None = None) -> Any:
        Book.objects.filter(pk=book.pk).update(version=F("version") + 1)
        return gather(book, start)

    monkeypatch.setattr(rebuilding, "gather", restless)
    trades_of(account, make_fill(account, 1, "BUY", "100"))
    assert Trade.objects.count() == 1
    assert due_books().filter(account=account, name="BTC").exists()


# --- methods and rules ----------------------------------------------------------------------------


def test_another_method_changes_the_realised_list_though_the_sums_are_equal(
    account: ExchangeAccount, alice: User
) -> None:
    """Bought at 100 and 200, sold at 300 and 400: 400 in all, by other lots."""
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", fee=D(0)),
        make_fill(account, 2, "BUY", "200", fee=D(0)),
        make_fill(account, 3, "SELL", "300", fee=D(0)),
        make_fill(account, 4, "SELL", "400", fee=D(0)),
    )

    def grosses() -> list[D]:
        return list(Realized.objects.order_by("closed_at").values_list("gross", flat=True))

    before = Trade.objects.get()
    assert grosses() == [200, 200]
    Preferences.objects.update_or_create(user=alice, defaults={"method": "lifo"})
    built(account)
    assert grosses() == [100, 300]
    after = Trade.objects.get()
    assert (after.pk, after.gross, after.exit_price) == (before.pk, before.gross, 350)
    Preferences.objects.filter(user=alice).update(method="fifo")
    built(account)
    assert grosses() == [200, 200]


def test_a_rule_seen_later_changes_no_older_trade(account: ExchangeAccount) -> None:
    """0.95 of 1 is sold; a step of 0.1 is seen a day later and cuts only what comes then."""

    def seen(at: Any, step: str) -> None:
        SeenRules.objects.create(
            venue="simulator",
            market="spot",
            symbol="BTCUSDT",
            seen_at=at,
            step_size=D(step),
            min_notional=0,
        )

    seen(START - timedelta(days=1), "0.00001")
    later = START + timedelta(days=2)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100"),
        make_fill(account, 2, "SELL", "110", quantity="0.95"),
    )
    before = Trade.objects.get()
    seen(START + timedelta(days=1), "0.1")
    built(account)
    after = Trade.objects.get()
    assert (after.pk, after.key, after.is_open) == (before.pk, before.key, True)
    trades_of(account, make_fill(account, 3, "SELL", "110", quantity="0.04", time=later))
    assert Trade.objects.get(pk=before.pk).closed_at == later


# --- notes, merges and splits follow their fills --------------------------------------------------


def older(account: ExchangeAccount, number: int, quantity: str = "0.5", **more: Any) -> None:
    """A purchase of long before, as an export brings it."""
    time = START - timedelta(days=more.pop("days", 400))
    trades_of(
        account, make_fill(account, number, "BUY", "50", quantity=quantity, time=time, **more)
    )


def test_a_note_stays_with_its_trade_when_older_history_comes(
    account: ExchangeAccount, alice: User, alices_browser: Client
) -> None:
    trades_of(account, make_fill(account, 2, "BUY", "100"), make_fill(account, 3, "SELL", "110"))
    trade = Trade.objects.get()
    path = f"/api/trades/{trade.pk}"
    told = {"note": "kept", "rating": 4, "reviewed": True}
    alices_browser.patch(path, told, content_type="application/json")
    Screenshot.objects.create(
        user=alice, trade_key=trade.key, fills=["spot:BTCUSDT:2"], image=b"x", width=1, height=1
    )
    older(account, 1)
    [row] = alices_browser.get("/api/trades", {"state": "closed"}).json()["rows"]
    assert row["net_money"] == "9.8"
    answer = alices_browser.get(f"/api/trades/{row['id']}").json()
    assert (answer["note"], answer["rating"]) == ("kept", 4)
    assert Screenshot.objects.get().trade_key == answer["key"]


def test_a_note_follows_its_fill_into_an_older_trade_and_back(
    account: ExchangeAccount, alice: User
) -> None:
    """The older purchase is kept open, so that both are one trade of another key."""
    trades_of(account, make_fill(account, 2, "BUY", "100"))
    trade = Trade.objects.get()
    annotate(user=alice, trade=trade, changes={"note": "kept"})
    FillMark.objects.create(account=account, market="spot", symbol="BTCUSDT", fill="2", kind="keep")
    older(account, 1)
    joined = Trade.objects.get()
    assert joined.key != trade.key
    assert Annotation.objects.get().trade_key == joined.key
    FillMark.objects.all().delete()
    built(account)
    assert Annotation.objects.get().trade_key == Trade.objects.get(key=trade.key).key


def test_a_note_of_a_flip_belongs_to_the_trade_that_it_opens(
    account: ExchangeAccount, alice: User
) -> None:
    usdm = {"market": "usdm"}
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", **usdm),
        make_fill(account, 2, "SELL", "110", quantity="2", **usdm),
    )
    long, short = Trade.objects.order_by("opened_at")
    for trade, text in ((long, "long"), (short, "short")):
        annotate(user=alice, trade=trade, changes={"note": text})
    built(account)
    trades_of(account, make_fill(account, 3, "BUY", "100", **usdm))
    notes = {note.trade_key: note.note for note in Annotation.objects.all()}
    assert notes == {long.key: "long", short.key: "short"}


@pytest.fixture
def with_fees(account: ExchangeAccount) -> tuple[Trade, Trade]:
    """A trade of BTC whose fees the stack of BNB paid: one fill is in a trade of each. The first is
    the trade's, the second the fee's."""
    prices = [
        AssetPrice(asset="BNB", minute=START + timedelta(minutes=number), price=D(500))
        for number in range(-1, 5)
    ]
    AssetPrice.objects.bulk_create(prices)
    fee = {"fee": D("0.001"), "fee_asset": "BNB"}
    trades_of(account, make_fill(account, 2, "BUY", "100", **fee))
    return Trade.objects.get(kind="trade"), Trade.objects.get(kind="stack", ended_by="fee")


def test_a_note_stays_with_its_trade_though_another_coin_paid_the_fee(
    account: ExchangeAccount, alice: User, with_fees: tuple[Trade, Trade]
) -> None:
    trade, _fee = with_fees
    annotate(user=alice, trade=trade, changes={"note": "kept"})
    for name in ("BTC", "BNB", "BTC", "BNB"):
        rebuilding.rebuild(Book.objects.get(account=account, name=name))
        assert Annotation.objects.get().trade_key == trade.key


def test_a_note_that_came_to_a_fee_goes_back_to_its_trade(
    account: ExchangeAccount, alice: User, with_fees: tuple[Trade, Trade]
) -> None:
    trade, fee = with_fees
    annotate(user=alice, trade=trade, changes={"note": "kept"})
    Annotation.objects.update(trade_key=fee.key)
    built(account)
    assert Annotation.objects.get().trade_key == trade.key


def test_a_note_on_what_was_spent_from_the_stack_stays_there(
    account: ExchangeAccount, alice: User
) -> None:
    """A purchase of ETH for BTC is a trade of ETH, and of the stack of BTC."""
    AssetPrice.objects.create(asset="BTC", minute=START + timedelta(minutes=2), price=D(50_000))
    pair = {"symbol": "ETHBTC", "base": "ETH", "quote": "BTC", "fee_asset": "ETH"}
    trades_of(account, make_fill(account, 2, "BUY", "0.05", fee=D(0), **pair.copy()))
    [spent] = Trade.objects.filter(kind="stack", base="BTC")
    annotate(user=alice, trade=spent, changes={"note": "kept"})
    for name in ("ETH", "BTC", "ETH"):
        rebuilding.rebuild(Book.objects.get(account=account, name=name))
        assert Annotation.objects.get().trade_key == spent.key


def test_a_note_whose_trade_is_set_aside_is_there_again_when_that_is_undone(
    account: ExchangeAccount, alice: User
) -> None:
    trades_of(account, make_fill(account, 1, "BUY", "100"))
    trade = Trade.objects.get()
    annotate(user=alice, trade=trade, changes={"note": "kept"})
    mark = FillMark.objects.create(
        account=account, market="spot", symbol="BTCUSDT", fill="1", kind="aside"
    )
    built(account)
    assert (Trade.objects.count(), Annotation.objects.count()) == (0, 1)
    mark.delete()
    built(account)
    assert Annotation.objects.get(trade_key=Trade.objects.get().key).note == "kept"


def test_merges_and_splits_under_old_keys_find_their_trades(account: ExchangeAccount) -> None:
    """Older history gave the first trade another key."""
    trades_of(
        account,
        make_fill(account, 2, "BUY", "100"),
        make_fill(account, 3, "SELL", "110"),
        make_fill(account, 4, "BUY", "100"),
        make_fill(account, 5, "SELL", "120"),
        make_fill(account, 6, "BUY", "100", quantity="2"),
        make_fill(account, 7, "SELL", "130"),
        make_fill(account, 8, "SELL", "140"),
    )
    first, second, third = Trade.objects.order_by("opened_at")
    mine = {"account": account, "market": "spot", "symbol": "BTCUSDT"}
    TradeMerge.objects.create(**mine, key=first.key, other=second.key)
    TradeSplit.objects.create(**mine, key=third.key, fill="8")
    sold = make_fill(account, 99, "SELL", "110", quantity="0.25")
    sold.time = START + timedelta(minutes=3, seconds=30)
    save_fills(account, [sold])
    older(account, 1, "0.25", days=1)  # joins the first, and is sold with it
    assert not Trade.objects.filter(key=first.key).exists()
    rows = Trade.objects.filter(closed_at__isnull=False).order_by("closed_at")
    assert sorted(row.by_hand for row in rows) == ["merge", "split", "split"]
