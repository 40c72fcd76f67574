"""The entry that the exchange reports of a contract, beside ours by its own rule (money.md 4.5)."""

from datetime import datetime, timedelta
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import ExchangeAccount, User
from journal.books import entries, rebuilding
from journal.books.due import make_everything_due
from journal.models import Book, FuturesPosition, LedgerProblem, Preferences
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
USDM = {"market": "usdm", "realized": D(0), "fee": D(0)}
LATER = START + timedelta(hours=1)


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """Long 3 at an average of 110: 2 at 100, 2 at 120, 1 of them closed at 130."""
    made: ExchangeAccount = make_account(alice)
    trades_of(
        made,
        make_fill(made, 1, "BUY", "100", quantity="2", **USDM),
        make_fill(made, 2, "BUY", "120", quantity="2", **USDM),
        make_fill(made, 3, "SELL", "130", **{**USDM, "realized": D(20)}),
    )
    return made


def report(
    account: ExchangeAccount, entry: str, quantity: str = "3", at: datetime = LATER
) -> list[str]:
    FuturesPosition.objects.update_or_create(
        account=account,
        symbol="BTCUSDT",
        position_side="BOTH",
        defaults={
            "quantity": D(quantity),
            "entry_price": D(entry),
            "mark_price": 130,
            "liquidation_price": 0,
            "unrealized": 0,
            "margin": 0,
            "margin_asset": "USDT",
            "updated_at": at,
        },
    )
    entries.compare_account(account)
    rows = LedgerProblem.objects.filter(kind="exchange_differs")
    return list(rows.values_list("message", flat=True))


@pytest.mark.parametrize("entry", ["110", "110.000001", "109.9990"])
def test_what_agrees_but_for_rounding_is_no_problem(account: ExchangeAccount, entry: str) -> None:
    assert report(account, entry) == []


def test_another_entry_is_a_problem_that_names_both_and_goes_when_they_agree(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    [message] = report(account, "105")
    assert message == (
        "the exchange reports an entry of 105 for 3 BTCUSDT, by its own rule the known fills give "
        "110"
    )
    assert LedgerProblem.objects.get().worth == 15
    page = alices_browser.get(f"/account/exchange/{account.pk}/history/").content.decode()
    assert "an entry of 105" in page
    reasons = alices_browser.get("/api/proof").json()["reasons"]
    assert [r["worth"] for r in reasons if r["kind"] == "exchange_differs"] == ["15"]
    make_everything_due(account.user)
    rebuilding.rebuild_due(account)
    assert LedgerProblem.objects.get().message == message  # a rebuild keeps it
    assert report(account, "110") == []


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "average"])
def test_the_owners_method_changes_nothing_of_it(account: ExchangeAccount, method: str) -> None:
    Preferences.objects.update_or_create(user=account.user, defaults={"method": method})
    make_everything_due(account.user)
    rebuilding.rebuild_due(account)
    assert report(account, "110") == []


def test_another_moment_or_quantity_says_nothing(account: ExchangeAccount) -> None:
    assert report(account, "105", quantity="4") == []
    assert report(account, "105", at=START) == []  # before the newest fill


def test_each_side_of_a_hedge_is_compared_with_its_own(alice: User) -> None:
    account = make_account(alice)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", **USDM, position_side="LONG"),
        make_fill(account, 2, "SELL", "120", **USDM, position_side="SHORT"),
    )
    for side, quantity, entry in (("LONG", 1, 100), ("SHORT", -1, 119)):
        FuturesPosition.objects.create(
            account=account,
            symbol="BTCUSDT",
            position_side=side,
            quantity=quantity,
            entry_price=entry,
            mark_price=110,
            liquidation_price=0,
            unrealized=0,
            margin=0,
            margin_asset="USDT",
            updated_at=LATER,
        )
    entries.compare_account(account)
    [problem] = LedgerProblem.objects.all()
    assert (problem.quantity, problem.worth) == (D(-1), D(1))


def test_a_contract_that_cannot_be_compared_stops_no_other(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    ill = Book.objects.create(account=account, market="usdm", name="AAAUSDT")
    ours, told = entries.compare, []

    def compare(book: Book) -> None:
        if book == ill:
            raise ArithmeticError
        told.append(book.name)
        ours(book)

    monkeypatch.setattr(entries, "compare", compare)
    assert len(report(account, "90")) == 1
    assert told == ["BTCUSDT"]
