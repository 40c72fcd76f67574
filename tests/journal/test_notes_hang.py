"""The migration that hangs notes on fills, over rows as they were before it."""

from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import User
from journal.books.due import due_books
from journal.models import Annotation, Screenshot, Trade
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
MIGRATION = "journal.migrations.0012_notes_hang_on_fills"


def test_notes_and_pictures_remember_their_trades_fills_and_every_book_is_due(alice: User) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 2, "SELL", "110"))
    key = Trade.objects.get().key
    Annotation.objects.create(user=alice, trade_key=key, note="kept")
    Annotation.objects.create(user=alice, trade_key="of nothing", note="odd")
    Screenshot.objects.create(user=alice, trade_key=key, image=b"x", width=1, height=1)
    assert not due_books().exists()
    migration = import_module(MIGRATION)
    migration.hang(apps, None)
    migration.make_due(apps, None)
    fills = ["spot:BTCUSDT:1", "spot:BTCUSDT:2"]
    assert Annotation.objects.get(note="kept").fills == fills
    assert Annotation.objects.get(note="odd").fills == []
    assert Screenshot.objects.get().fills == fills
    assert due_books().filter(account=account).exists()
