"""Shapes x damage through the import page: no 500, no raw exception, and what the preview says is
what is taken, and gone again when it is undone. `make fuzz-files` runs many."""

import os
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Sum
from django.test import Client

from accounts.models import ExchangeAccount, User
from journal import tasks
from journal.books import rebuilding
from journal.models import Fill, Income, Transfer, Upload, Witness
from tests.journal.accounts import make_account
from tests.journal.files.damage import exports

pytestmark = pytest.mark.django_db
ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "240"))
FIRST = int(os.environ.get("FUZZ_SEED", "1"))
# words of exceptions, which are no sentences of ours
RAW = re.compile(
    r"Traceback|invalid literal|InvalidOperation|codec can't|object has no|Errno|KeyError|"
    r"unexpected|&lt;class|NoneType"
)


FILLED = (
    "market",
    "symbol",
    "base",
    "quote",
    "side",
    "quantity",
    "quote_quantity",
    "fee",
    "fee_asset",
)


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    return make_account(alice)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's part, in the request."""
    for task in (tasks.look_at_upload, tasks.take_upload, tasks.undo_upload):
        monkeypatch.setattr(task, "delay_on_commit", task)


@pytest.mark.slow
def test_no_damage_goes_through(alices_browser: Client, account: ExchangeAccount) -> None:
    for seed in range(FIRST, FIRST + ROUNDS):
        try:
            _one(alices_browser, account, seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {exports(seed)[1][:300]!r}") from error


def _one(browser: Client, account: ExchangeAccount, seed: int) -> None:
    name, body = exports(seed)
    page = f"/account/exchange/{account.pk}/import/"
    answer: Any = browser.post(page, {"file": SimpleUploadedFile(name, body)}, follow=True)
    text = answer.content.decode()
    if "\n" in name and answer.status_code == 400:
        return  # a broken header, which Django refuses before anybody reads the file
    assert answer.status_code == 200
    assert not RAW.search(text), RAW.search(text)
    row = Upload.objects.filter(account=account, state="looked").order_by("-pk").first()
    if row is None:
        Upload.objects.filter(account=account).exclude(state="taken").delete()
        return
    door = f"{page}{row.pk}/"
    if row.preview.get("needs_zone"):
        browser.post(door, {"do": "zone", "zone": "UTC+09:00"})
        row.refresh_from_db()
    before, rows = _holdings(account), _count(account)
    browser.post(door, {"do": "take", "digest": row.preview["digest"]})
    row.refresh_from_db()
    assert row.state == "taken", row.problem
    assert row.preview["new"] == row.rows_taken
    assert _count(account) - rows == row.preview["new"] - row.preview["replaced"]
    said = {f"{wallet} {coin}": Decimal(n) for wallet, coin, n in row.preview["changes"]}
    assert _difference(_holdings(account), before) == said
    assert not Fill.objects.filter(account=account, quantity__lte=0).exists()
    if seed % 4:
        browser.post(door, {"do": "undo"})
        assert (_count(account), _holdings(account)) == (rows, before)
    elif seed % 8 == 0:
        rebuilding.rebuild_due(account)  # whatever was taken in can be computed
        Witness.objects.filter(account=account).delete()
        for model in (Fill, Transfer, Income):
            model.objects.filter(account=account).delete()
    row.delete()


def _count(account: ExchangeAccount) -> int:
    return sum(model.objects.filter(account=account).count() for model in (Fill, Transfer, Income))


def _holdings(account: ExchangeAccount) -> dict[str, Decimal]:
    """By the tables, in another way than the preview."""
    sums: dict[str, Decimal] = {}

    def add(name: str, amount: Decimal) -> None:
        sums[name] = sums.get(name, Decimal(0)) + amount

    for fill in Fill.objects.filter(account=account).values_list(*FILLED, named=True):
        signed = fill.quantity if fill.side == "BUY" else -fill.quantity
        if fill.market == "usdm":
            add(f"usdm {fill.symbol}", signed)
            continue
        value = fill.quote_quantity if fill.side == "SELL" else -fill.quote_quantity
        add(f"spot {fill.base}", signed)
        add(f"spot {fill.quote}", value)
        add(f"spot {fill.fee_asset}", -fill.fee)
    mine = Transfer.objects.filter(account=account).order_by()
    for line in mine.values("wallet", "asset").annotate(total=Sum("amount")):
        add(f"{line['wallet']} {line['asset']}", line["total"])
    incomes = Income.objects.filter(account=account).order_by()
    for line in incomes.values("asset").annotate(total=Sum("amount")):
        add(f"usdm {line['asset']}", line["total"])
    return {name: total for name, total in sums.items() if total}


def _difference(after: dict[str, Decimal], before: dict[str, Decimal]) -> dict[str, Decimal]:
    names = {*after, *before}
    apart = {name: after.get(name, Decimal(0)) - before.get(name, Decimal(0)) for name in names}
    return {name: amount for name, amount in apart.items() if amount}
