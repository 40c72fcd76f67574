"""What is done to many chosen trades at once."""

import csv
import io
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import ExchangeAccount, User
from journal.models import Setup, Trade
from tests.journal.accounts import make_account, some_trades
from tests.sent import whole
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made = make_account(alice)
    some_trades(made)
    return made


def test_many_trades_get_a_tag(alices_browser: Client, account: ExchangeAccount) -> None:
    ids = list(Trade.objects.closed().values_list("pk", flat=True))
    alices_browser.post("/trades/bulk/", {"do": "tag", "name": "news", "id": ids})
    assert len(alices_browser.get("/api/trades", {"tag": "news"}).json()["rows"]) == 3
    assert alices_browser.post("/trades/bulk/", {"do": "burn", "id": ids}).status_code == 400


def test_many_trades_get_a_setup_or_none_does(
    alice: User, alices_browser: Client, account: ExchangeAccount
) -> None:
    ids = list(Trade.objects.closed().values_list("pk", flat=True))
    Setup.objects.create(user=alice, name="breakout")
    alices_browser.post("/trades/bulk/", {"do": "setup", "setup": "breakout", "id": ids})
    assert len(alices_browser.get("/api/trades", {"setup": "breakout"}).json()["rows"]) == 3
    refused = {"do": "setup", "setup": "unheard of", "id": ids}
    page = alices_browser.post("/trades/bulk/", refused, follow=True).content.decode()
    assert "Expected the name of one of your setups." in page
    assert len(alices_browser.get("/api/trades", {"setup": "breakout"}).json()["rows"]) == 3


def test_many_trades_get_a_stop_so_far_from_their_entry(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    trades = list(Trade.objects.closed())
    ids = [trade.pk for trade in trades]
    alices_browser.post("/trades/bulk/", {"do": "stop", "stop_percent": "1.5", "id": ids})
    rows = {row["id"]: row for row in alices_browser.get("/api/trades").json()["rows"]}
    for trade in trades:
        away = D("0.985") if trade.direction == "LONG" else D("1.015")
        stop = trade.entry_price / trade.quote_rate * away
        assert abs(D(rows[trade.pk]["initial_stop"]) / stop - 1) < D("1e-7")
        assert rows[trade.pk]["r"] is not None
    for odd in ("", "0", "100", "abc", "NaN", "1e400"):
        said = {"do": "stop", "stop_percent": odd, "id": ids}
        page = alices_browser.post("/trades/bulk/", said, follow=True).content.decode()
        assert "per cent from the entry" in page, odd
    assert {row["id"]: row for row in alices_browser.get("/api/trades").json()["rows"]} == rows


def test_chosen_trades_are_given_as_a_file(
    alices_browser: Client, account: ExchangeAccount, bob: User
) -> None:
    chosen, other = Trade.objects.closed().values_list("pk", flat=True)[:2]
    said = {"do": "csv", "id": [chosen, "x", 10**30]}
    answer = alices_browser.post("/trades/bulk/", said)
    rows = list(csv.DictReader(io.StringIO(whole(answer).decode())))
    assert [row["id"] for row in rows] == [str(chosen)]
    theirs = sign_in(Client(), bob).post("/trades/bulk/", {"do": "csv", "id": [chosen, other]})
    assert str(chosen) not in whole(theirs).decode()
