"""Many rows at once are the rows that Django itself would have written."""

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import bulk
from journal.models import Fill, Trade, Witness
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


def unsaved(account: ExchangeAccount, number: int) -> Fill:
    made = make_fill(account, number, "BUY", "0.000000000001")
    made.flow_due_at = timezone.now()
    return made


def columns(row: Fill) -> dict[str, object]:
    names = [field.attname for field in Fill._meta.concrete_fields]
    return {name: getattr(row, name) for name in names}


def test_rows_have_keys_and_every_value_of_theirs(alice: User) -> None:
    account = make_account(alice)
    rows = [unsaved(account, number) for number in (1, 2, 3)]
    rows[1].fee_asset = "a\tb\\c\nd"
    rows[2].order_id = 2**62
    bulk.insert(rows)
    assert len({row.pk for row in rows}) == 3
    assert not any(row._state.adding for row in rows)
    for row in rows:
        assert columns(Fill.objects.get(pk=row.pk)) == columns(row)
    later = unsaved(account, 4)
    later.save()
    assert later.pk > max(row.pk for row in rows), "Django's own rows go on behind them"


def test_json_and_nothing_at_all(alice: User) -> None:
    account = make_account(alice)
    content = {"text": 'a "quote", a \\ and a\ttab', "none": None, "list": [1, 2.5, "x"]}
    rows = [
        Witness(account=account, kind=Witness.Kind.FILL, content=content, upload=None),
        Witness(account=account, kind=Witness.Kind.FILL, content={}, upload=None),
    ]
    bulk.insert(rows)
    told = Witness.objects.order_by("pk").values_list("content", "upload")
    assert list(told) == [(content, None), ({}, None)]
    bulk.insert([])
    bulk.update([], ["content"])


def test_what_may_not_be_is_an_error_of_djangos_and_nothing_is_written(alice: User) -> None:
    account = make_account(alice)
    bulk.insert([unsaved(account, 1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([unsaved(account, 2), unsaved(account, 1)])
    assert Fill.objects.count() == 1


def test_only_the_fields_that_were_named_are_written(alice: User) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 2, "SELL", "101"))
    trades_of(account, make_fill(account, 3, "BUY", "102"))
    trades = list(Trade.objects.order_by("pk"))
    assert len(trades) == 2
    for number, trade in enumerate(trades):
        trade.net, trade.worst, trade.symbol = D(number) / 3, None, "NOT WRITTEN"
    bulk.update(trades, ["net", "worst"])
    kept = list(Trade.objects.order_by("pk"))
    assert [trade.net for trade in kept] == [0, D("0.333333333333333333")]
    assert {trade.symbol for trade in kept} == {"BTCUSDT"}


def test_a_statement_is_not_made_up_for_each_row(alice: User) -> None:
    account = make_account(alice)
    statements: list[str] = []

    def listen(execute: object, sql: str, *rest: object) -> object:
        statements.append(sql)
        return execute(sql, *rest)  # type: ignore[operator]

    with connection.execute_wrapper(listen):
        bulk.insert([unsaved(account, number) for number in range(50)])
    assert len(statements) == 1
    assert Fill.objects.count() == 50
