"""The import page: brought, looked at, taken in exactly as looked at, undone; accounts of files."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation
from kombu.exceptions import OperationalError

from accounts.models import ExchangeAccount, User
from journal import tasks
from journal.models import Fill, Preferences, Transfer, Upload
from journal.services import exports
from tests.journal.accounts import make_account, make_fill
from tests.journal.files import samples as s

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    return make_account(alice)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was handed to a worker."""
    calls: list[tuple[Any, ...]] = []
    for task in (tasks.look_at_upload, tasks.take_upload, tasks.undo_upload):
        monkeypatch.setattr(
            task, "delay_on_commit", lambda *args, task=task: calls.append((task, *args))
        )
    return calls


def bring(
    browser: Client,
    account: ExchangeAccount,
    body: str | bytes,
    name: str = "x.csv",
    zone: str = "",
) -> HttpResponse:
    content = body.encode() if isinstance(body, str) else body
    address = f"/account/exchange/{account.pk}/import/"
    file = SimpleUploadedFile(name, content)
    answer: Any = browser.post(address, {"file": file, "do": "look", "zone": zone}, follow=True)
    return answer  # type: ignore[no-any-return]


def do(browser: Client, row: Upload, wish: str, **more: str) -> str:
    address = f"/account/exchange/{row.account_id}/import/{row.pk}/"
    return browser.post(address, {"do": wish, **more}, follow=True).content.decode()


def test_the_page_shows_what_would_be_taken_before_it_is(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    bad = "2024-01-02 10:00:00,BTCUSDT,HOLD,1,1BTC,1USDT,0\n"
    text = bring(alices_browser, account, s.SPOT_NEW_SHAPE + bad, "mine.csv").content.decode()
    for words in (
        "mine.csv",
        "Spot trades",
        "2026-03-17 09:00:05",
        "2026-03-17 09:34:12",
        "Line 4",
        "Expected BUY or SELL, was HOLD.",
        "Take in 2 rows",
        "spot: −0.401299 USDT",
        "UTC",
    ):
        assert words in text, words
    assert not Fill.objects.exists()
    row = Upload.objects.get()
    done = do(alices_browser, row, "take", digest=row.preview["digest"])
    assert "2 rows are new and in." in done
    assert Fill.objects.count() == 2
    assert "2 rows of the file are gone again." in do(alices_browser, row, "undo")
    assert not Fill.objects.exists()


def test_an_operation_that_is_not_known_is_listed_with_its_sum(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    text = bring(alices_browser, account, s.MANY_OPERATIONS).content.decode()
    assert "Something Unheard Of: −0.5 BTC" in text
    Preferences.objects.update_or_create(user=account.user, defaults={"hides_amounts": True})
    hidden = bring(alices_browser, account, s.MANY_OPERATIONS).content.decode()
    assert "Something Unheard Of: ••• BTC" in hidden


def test_files_that_nobody_takes_in_do_not_pile_up(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    taken = Upload.objects.create(account=account, name="t", body=b"", digest="t", state="taken")
    for number in range(8):
        bring(alices_browser, account, s.SPOT_NEW_SHAPE + "\n" * number, f"{number}.csv")
    names = set(Upload.objects.values_list("name", flat=True))
    assert names == {taken.name, "3.csv", "4.csv", "5.csv", "6.csv", "7.csv"}


def test_what_is_taken_is_what_was_looked_at_not_what_came_last(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    bring(alices_browser, account, s.SPOT_NEW_SHAPE, "a.csv")
    bring(alices_browser, account, s.SITE_2021, "b.csv")
    looked = Upload.objects.get(name="a.csv")
    do(alices_browser, looked, "take", digest=looked.preview["digest"])
    assert set(Fill.objects.values_list("time__year", flat=True)) == {2026}


def test_nothing_is_taken_where_more_is_known_than_when_it_was_looked_at(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    bring(alices_browser, account, s.SPOT_NEW_SHAPE)
    row = Upload.objects.get()
    for digest in ("", "x"):
        assert "please look again" in do(alices_browser, row, "take", digest=digest)
        Upload.objects.update(state="looked")
    at = datetime(2026, 3, 17, 9, 0, 5, tzinfo=UTC)
    make_fill(account, 7, "BUY", "70000", quantity="0.01", time=at).save()
    assert "please look again" in do(alices_browser, row, "take", digest=row.preview["digest"])
    assert Fill.objects.count() == 1


def test_a_zone_that_is_not_told_is_asked_for(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    text = bring(alices_browser, account, s.SPOT_LOCAL).content.decode()
    assert "please choose it" in text
    assert "Take in" not in text
    row = Upload.objects.get()
    assert "Expected a time zone" in do(alices_browser, row, "zone", zone="Mars")
    assert "Take in 2 rows" in do(alices_browser, row, "zone", zone="UTC+09:00")
    chosen = bring(alices_browser, account, s.SPOT_LOCAL, zone="UTC+09:00").content.decode()
    assert "2026-03-17 09:00:05 UTC" in chosen


def test_reasons_are_in_the_readers_language(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    alices_browser.post("/language/", {"language": "ko", "next": "/"})
    text = bring(
        alices_browser, account, s.SPOT + "2026-03-02 10:00:00,BTCUSDT,HOLD,1,1BTC,1USDT,0\n"
    ).content.decode()
    assert "HOLD" in text
    assert "Expected BUY" not in text


def test_a_large_file_is_work_for_a_worker(
    alices_browser: Client,
    account: ExchangeAccount,
    queued: list[tuple[Any, ...]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    rows = "".join(
        f"2026-03-02 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},BTCUSDT,BUY,40000,0.001BTC,"
        "40USDT,0\n"
        for n in range(3000)
    )
    text = bring(alices_browser, account, s.SPOT + rows).content.decode()
    assert 'data-refresh="2"' in text
    row = Upload.objects.get()
    assert (row.state, queued) == ("waiting", [(tasks.look_at_upload, row.pk)])
    tasks.look_at_upload(row.pk)
    row.refresh_from_db()
    assert (row.state, row.preview["new"]) == ("looked", 3000)
    do(alices_browser, row, "take", digest=row.preview["digest"])
    task, *args = queued.pop()
    task(*args)
    row.refresh_from_db()
    assert (row.state, row.rows_taken, bytes(row.body)) == ("taken", 3000, b"")
    do(alices_browser, row, "undo")
    task, *args = queued.pop()
    task(*args)
    assert not Fill.objects.exists()


def test_a_task_that_comes_twice_does_nothing_more(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    bring(alices_browser, account, s.SPOT_NEW_SHAPE)
    row = Upload.objects.get()
    tasks.look_at_upload(row.pk)
    tasks.take_upload(row.pk, account.user_id, row.preview["digest"])
    tasks.undo_upload(row.pk, account.user_id)
    tasks.look_at_upload(-1)
    row.refresh_from_db()
    assert (row.state, Fill.objects.count()) == ("looked", 0)


def test_without_a_broker_the_page_says_so(
    alices_browser: Client, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise OperationalError("down")

    monkeypatch.setattr(tasks.look_at_upload, "delay_on_commit", refuse)
    body = s.SPOT_NEW_SHAPE + "\n" * exports.SMALL_BYTES
    assert "try again in a minute" in bring(alices_browser, account, body).content.decode()


def test_what_a_dead_worker_left_is_told_and_what_nobody_took_is_forgotten(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    for state in ("reading", "looked", "taken"):
        Upload.objects.create(account=account, name=state, body=b"a", digest=state, state=state)
    Upload.objects.update(changed_at=timezone.now() - timedelta(hours=3))
    alices_browser.get(f"/account/exchange/{account.pk}/import/")
    assert set(Upload.objects.values_list("name", "state")) == {
        ("reading", "failed"),
        ("taken", "taken"),
    }


@pytest.mark.parametrize("body", [b"", b"hm", bytes(range(256)), b"a,b\n1,2\n", b"\0" * 100])
def test_what_cannot_be_read_is_told_in_a_sentence(
    alices_browser: Client, account: ExchangeAccount, body: bytes
) -> None:
    answer = bring(alices_browser, account, body)
    assert answer.status_code == 200
    assert "notice-error" in answer.content.decode()


def test_odd_requests_are_refused(alices_browser: Client, account: ExchangeAccount) -> None:
    address = f"/account/exchange/{account.pk}/import/"
    for asked in ("x", "-1", "9" * 30, "٣"):
        assert alices_browser.get(address, {"upload": asked}).status_code == 200
    assert alices_browser.get(address, {"upload": "\0"}).status_code == 400
    assert alices_browser.post(address, {"file": "text"}).status_code == 200
    bring(alices_browser, account, s.SPOT_NEW_SHAPE, "a\0\n" + "x" * 300 + ".csv")
    row = Upload.objects.get()
    assert alices_browser.post(f"{address}{row.pk}/", {"do": "dance"}).status_code == 400
    assert alices_browser.post(f"{address}{row.pk + 1}/", {"do": "take"}).status_code == 404
    do(alices_browser, row, "forget")
    assert not Upload.objects.exists()


def test_an_account_is_made_from_files_alone(alices_browser: Client, alice: User) -> None:
    page = alices_browser.post("/account/exchange/files/", {"label": "Old years"}, follow=True)
    account = ExchangeAccount.objects.get(user=alice)
    assert page.redirect_chain[-1][0] == f"/account/exchange/{account.pk}/import/"
    assert (bytes(account.api_key), account.state, account.label) == (b"", "paused", "Old years")
    bring(alices_browser, account, s.SPOT_NEW_SHAPE)
    row = Upload.objects.get()
    do(alices_browser, row, "take", digest=row.preview["digest"])
    assert Fill.objects.count() == 2
    for path in ("", f"{account.pk}/", f"{account.pk}/history/"):
        assert alices_browser.get(f"/account/exchange/{path}").status_code == 200
    assert alices_browser.post("/account/exchange/files/", {"label": ""}).status_code == 302
    alices_browser.post("/account/exchange/files/", {"label": "Another"})
    assert ExchangeAccount.objects.count() == 2


# --- commands -----------------------------------------------------------------------------------


def run(*words: Any) -> str:
    said = StringIO()
    with translation.override("en"):
        call_command(*words, stdout=said)
    return said.getvalue()


def test_an_export_is_read_without_an_account(tmp_path: Path, db: None) -> None:
    file = tmp_path / "x.csv"
    file.write_text(s.SPOT_NEW_SHAPE)
    found = json.loads(run("read_export", str(file), "--json"))
    assert found["kind"] == "spot"
    first = {
        key: found["fills"][0][key]
        for key in ("time", "symbol", "market", "side", "quantity", "price", "fee", "fee_asset")
    }
    assert first == {
        "time": "2026-03-17T09:00:05Z",
        "symbol": "BTCUSDT",
        "market": "spot",
        "side": "BUY",
        "quantity": "0.01",
        "price": "70000",
        "fee": "0.00001",
        "fee_asset": "BTC",
    }
    file.write_text(s.MANY_OPERATIONS)
    moved = json.loads(run("read_export", str(file), "--json"))["transfers"]
    assert moved[0] == {
        "time": "2024-01-01T09:00:00Z",
        "kind": "deposit",
        "asset": "USDT",
        "amount": "1000",
        "operation": "Deposit",
        "wallet": "spot",
    }
    unknown = json.loads(run("read_export", str(file), "--json"))["unknown"]
    assert unknown == [{"operation": "Something Unheard Of", "asset": "BTC", "amount": "-0.5"}]
    assert {row["kind"] for row in moved} == {
        "deposit",
        "internal",
        "dividend",
        "swap",
        "income",
        "other",
    }


def test_a_time_without_a_zone_is_no_utc(tmp_path: Path, db: None) -> None:
    file = tmp_path / "x.csv"
    file.write_text(s.SPOT_LOCAL)
    unknown = json.loads(run("read_export", str(file), "--json"))
    assert (unknown["zone"], unknown["fills"][0]["time"]) == (None, "2026-03-17T18:00:05")
    told = json.loads(run("read_export", str(file), "--json", "--zone", "+9"))
    assert told["fills"][0]["time"] == "2026-03-17T09:00:05Z"


def test_a_file_that_is_none_ends_with_a_sentence(tmp_path: Path, db: None) -> None:
    file = tmp_path / "x.csv"
    file.write_text("hm")
    for words in (
        ("read_export", str(file), "--json"),
        ("read_export", str(tmp_path / "no")),
        ("read_export", str(file), "--zone", "Mars"),
        ("import_export", "nobody", str(file)),
    ):
        with pytest.raises(CommandError):
            run(*words)


def test_an_export_is_taken_in_by_command(tmp_path: Path, alice: User) -> None:
    file = tmp_path / "x.csv"
    file.write_text(s.SPOT_LOCAL)
    for text in (s.SPOT_LOCAL, s.COINM, s.ORDERS, "hm"):
        file.write_text(text)
        with pytest.raises(CommandError):
            run("import_export", "alice", str(file))
    assert not ExchangeAccount.objects.exists()
    assert not Upload.objects.exists()
    file.write_text(s.MANY_OPERATIONS)
    assert "15 rows are new and in" in run("import_export", "alice", str(file))
    account = ExchangeAccount.objects.get(user=alice)
    assert (account.label, bytes(account.api_key)) == ("Files", b"")
    assert Transfer.objects.filter(account=account).count() == 12
    with pytest.raises(CommandError, match="taken in on"):
        run("import_export", "alice", str(file))
    file.write_text(s.SPOT_NEW_SHAPE)
    run("import_export", "alice", str(file), "--account", "Other")
    assert Fill.objects.filter(account__label="Other").count() == 2
