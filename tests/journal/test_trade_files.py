"""The list of trades as a file: in the reader's unit, and without amounts where they are hidden."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from journal.models import Trade
from journal.views.trade_files import AMOUNTS
from tests.journal.accounts import make_account, some_trades
from tests.sent import whole

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(alice: User, alices_browser: Client) -> Any:
    some_trades(make_account(alice))
    Trade.objects.update(placed_stop=95)

    def read(**display: str) -> dict[str, dict[str, str]]:
        alices_browser.post("/settings/display/", display)
        answer = alices_browser.get("/trades/?state=all&format=csv")
        text = whole(answer).decode()
        return {row["id"]: row for row in csv.DictReader(io.StringIO(text))}

    return read


def test_each_unit_has_the_result_that_the_list_shows(rows: Any) -> None:
    """Bought at 100 with a stop at 95 and sold at 110, with 0.2 of fees: 9.8, 9.8 %, 1.96 R."""
    won = str(Trade.objects.filter(market="spot", net__gt=0).get().pk)
    still_open = str(Trade.objects.get(closed_at=None).pk)
    for unit, result, name in (
        ("money", "9.8", "USD"),
        ("percent", "9.8", "%"),
        ("risk", "1.96", "R"),
    ):
        told = rows(unit=unit)
        assert (told[won]["result"], told[won]["unit"]) == (result, name)
        assert told[still_open]["result"] == ""


def test_hidden_amounts_are_not_in_the_file(rows: Any) -> None:
    told = rows(unit="money", hide="1")
    assert {row[name] for row in told.values() for name in (*AMOUNTS, "result")} == {""}
    assert all(row["entry_price"] and row["symbol"] for row in told.values())
    told = rows(unit="percent")
    assert [row["result"] for row in told.values()].count("") == 1
    assert {row["net"] for row in told.values()} == {""}
