"""Kinds of rows that are not there are not asked for; each that is there is."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from accounts.models import ExchangeAccount, User
from journal.books import incomes, rebuilding
from journal.books.gathering import gather
from journal.books.presence import ANYTHING, Presence, presence_since
from journal.models import (
    Book,
    FillMark,
    Income,
    ManualFill,
    OpeningBalance,
    StatedCost,
    TradeMerge,
    TradeSplit,
    Transfer,
)
from journal.sync.saving import save_fills
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
NOTHING = Presence(*[False] * len(ANYTHING))
LATER = START + timedelta(hours=1)
Make = Callable[[ExchangeAccount, datetime], Model]


def _transfer(account: ExchangeAccount, time: datetime, kind: str = "deposit") -> Transfer:
    return Transfer(
        account=account, kind=kind, external_id="1", asset="BTC", amount=D(1), time=time
    )


def _by_hand(account: ExchangeAccount, time: datetime) -> ManualFill:
    pair: dict[str, Any] = {"market": "spot", "symbol": "BTCUSDT", "base": "BTC", "quote": "USDT"}
    return ManualFill(account=account, side="BUY", price=D(1), quantity=D(1), time=time, **pair)


def _stated(account: ExchangeAccount, time: datetime) -> StatedCost:
    amounts = {"amount": D(1), "cost": D(1)}
    return StatedCost(account=account, asset="BTC", time=time, bought_at=time, **amounts)


MAKERS: dict[str, Make] = {
    "marks": lambda a, _: FillMark(account=a, market="spot", symbol="BTCUSDT", fill="1"),
    "splits": lambda a, _: TradeSplit(account=a, market="spot", key="k", fill="1"),
    "merges": lambda a, _: TradeMerge(account=a, market="spot", key="k", other="o"),
    "stated": _stated,
    "by_hand": _by_hand,
    "transfers": _transfer,
    "incomes": lambda a, time: Income(
        account=a, kind="FUNDING_FEE", asset="BNB", amount=1, time=time
    ),
    "openings": lambda a, time: OpeningBalance(account=a, asset="BTC", quantity=1, time=time),
}


@pytest.mark.parametrize("name", MAKERS)
def test_each_kind_is_seen_where_it_is(alice: User, bob: User, name: str) -> None:
    account, other = make_account(alice), make_account(bob)
    assert presence_since(account.pk, START) == NOTHING
    MAKERS[name](account, LATER).save()
    assert presence_since(account.pk, START) == NOTHING._replace(**{name: True})
    is_timed = name in {"by_hand", "transfers", "incomes", "openings"}
    assert getattr(presence_since(account.pk, LATER), name) is not is_timed
    assert presence_since(other.pk, START) == NOTHING


def test_a_swap_is_seen_however_long_ago(alice: User) -> None:
    account = make_account(alice)
    _transfer(account, START, kind=Transfer.Kind.SWAP).save()
    assert presence_since(account.pk, LATER) == NOTHING._replace(swaps=True)


@pytest.mark.parametrize("kind", ["convert", "dust"])
def test_halves_of_conversions_are_told_apart(alice: User, kind: str) -> None:
    account = make_account(alice)
    _transfer(account, LATER, kind=kind).save()
    known = presence_since(account.pk, START)
    assert known == NOTHING._replace(transfers=True, converted=True)
    assert presence_since(account.pk, LATER) == NOTHING


@pytest.mark.parametrize("kind", sorted(incomes.CONVERSIONS))
def test_lines_of_income_that_convert_are_told_apart(alice: User, kind: str) -> None:
    account = make_account(alice)
    Income.objects.create(account=account, kind=kind, asset="BNB", amount=1, time=LATER)
    known = presence_since(account.pk, START)
    assert known == NOTHING._replace(incomes=True, converted=True)
    assert presence_since(account.pk, LATER) == NOTHING


@pytest.mark.parametrize("name", MAKERS)
def test_without_a_moment_nothing_is_too_old(alice: User, name: str) -> None:
    account = make_account(alice)
    assert presence_since(account.pk, None) == NOTHING
    MAKERS[name](account, START - timedelta(days=5_000)).save()
    assert presence_since(account.pk, None) == NOTHING._replace(**{name: True})


def test_a_whole_book_asks_for_what_is_there_alone(alice: User) -> None:
    account = make_account(alice)
    save_fills(account, [make_fill(account, 1, "BUY", "100")])
    book = Book.objects.select_related("account__user").get(account=account, name="BTC")
    with CaptureQueriesContext(connection) as queries:
        gather(book)
    tables = re.findall(r'FROM "(\w+)"', " ".join(one["sql"] for one in queries))
    assert tables == ["journal_preferences", "journal_fill"]


def test_one_fill_more_asks_for_fills_alone(alice: User) -> None:
    account = make_account(alice)
    trades_of(account, *[make_fill(account, n, "BUY", "100") for n in range(1, 20)])
    save_fills(account, [make_fill(account, 20, "SELL", "110")])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rebuilding.rebuild_due(account, lightly=True)
    asked = [query["sql"] for query in queries.captured_queries if "EXISTS" not in query["sql"]]
    for model in (FillMark, TradeSplit, TradeMerge, StatedCost, ManualFill, Transfer, Income):
        assert not [sql for sql in asked if f'FROM "{model._meta.db_table}"' in sql], model


def test_the_coin_that_was_traded_comes_before_the_one_that_paid_its_fee(alice: User) -> None:
    account = make_account(alice)
    bnb = make_fill(account, 1, "BUY", "600", symbol="BNBUSDT", base="BNB")
    trades_of(account, bnb, make_fill(account, 2, "BUY", "100"))
    names = Book.objects.filter(account=account).order_by("pk").values_list("name", flat=True)
    assert list(names) == ["BNB", "BTC"], "BNB's row is the older one"
    save_fills(account, [make_fill(account, 3, "SELL", "110", fee=D("0.01"), fee_asset="BNB")])
    assert rebuilding.rebuild_due(account, lightly=True) == ["BTC", "BNB"]
