"""The strip of a reading: a bar is never full while something is still read."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from journal.models import Sync
from tests.journal.accounts import make_account

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("done", "told"),
    [(20, 'value="20"'), (50, "50 requests so far"), (61, "61 requests so far")],
)
def test_a_bar_is_not_full_while_something_is_read(
    alice: User, alices_browser: Client, done: int, told: str
) -> None:
    account = make_account(alice)
    Sync.objects.create(
        account=account,
        state="running",
        done=done,
        expected=50,
        finished_at=timezone.now(),
    )
    page = alices_browser.get(f"/account/exchange/{account.pk}/history/").content.decode()
    strip = page.split('class="notice sync"')[1].split("</div>")[0]
    assert told in strip
    assert f'value="{done}"' not in strip or done < 50


def test_what_is_left_is_not_shorter_than_the_wait(alice: User) -> None:
    row = Sync(
        account=make_account(alice),
        done=280,
        expected=284,
        started_at=timezone.now() - timedelta(seconds=70),
        note_values={"seconds": 49},
    )
    assert row.left is not None
    assert timedelta(seconds=49) < row.left < timedelta(seconds=52)
    row.note_values = {"symbol": "BTCUSDT"}
    assert timedelta(0) < row.left < timedelta(seconds=3)


ZEROS = ("0 trades", "0 closed", "0 of 0")


def test_positions_that_are_being_read_are_not_told_as_none(
    alice: User, alices_browser: Client
) -> None:
    row = Sync.objects.create(account=make_account(alice), state="running", done=3, expected=50)
    assert "what is open comes with it" in alices_browser.get("/portfolio/").content.decode()
    row.finished_at, row.state = timezone.now(), "complete"
    row.save()
    assert "No open position." in alices_browser.get("/portfolio/").content.decode()


@pytest.mark.parametrize("path", ["/trades/", "/reports/", "/"])
def test_what_is_being_read_is_not_told_as_empty(
    alice: User, alices_browser: Client, path: str
) -> None:
    row = Sync.objects.create(account=make_account(alice), state="running", done=3, expected=50)
    alices_browser.post("/start/on/")
    page = alices_browser.get(path).content.decode()
    assert "trades come as they are known" in page
    assert "No trades yet" not in page
    assert "Connect Binance" not in page
    assert "$0.00" not in page
    for zero in ("has been judged yet", "no closed trade yet", "No open position", *ZEROS):
        assert zero not in page, zero
    row.finished_at, row.state = timezone.now(), "complete"
    row.save()
    page = alices_browser.get(path).content.decode()
    assert "trades come as they are known" not in page
    assert "No trades yet." in page
