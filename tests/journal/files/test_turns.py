"""One file after the other: what comes while one is taken in waits, is told so, and stays whole."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from psycopg import errors

from accounts.models import ExchangeAccount, User
from journal import tasks
from journal.books import rebuilding
from journal.management.commands import import_export
from journal.models import Book, Fill, ManualFill, Upload
from journal.services import correcting, exports, importing, undoing
from journal.sync.doorkeeping import Busy
from market.jobs import locks
from tests.journal.accounts import make_account
from tests.journal.busy import another_door
from tests.journal.files import samples as s
from tests.journal.files.doors import AT, BOUGHT, STATED, bring

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

State = Upload.State
LINES = [f"2026-03-02 08:00:0{n},BTCUSDT,BUY,40000,0.001BTC,40USDT,0.04USDT\n" for n in range(6)]
NEXT = "another file say: this one is next"


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    return make_account(alice)


def brought(account: ExchangeAccount, *lines: str) -> Upload:
    text = s.SPOT + "".join(lines)
    return exports.upload(account=account, name="x.csv", body=text.encode(), zone="UTC")


@contextmanager
def being_taken_in(row: Upload, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the middle of its rows, until the end of the block; then it is in."""
    is_amid, over = threading.Event(), threading.Event()

    class Rests:
        def __init__(self, who: str) -> None:
            assert who == f"u{row.account.user_id}"

        def rest(self) -> float:
            if connection.in_atomic_block:
                is_amid.set()
                assert over.wait(60)
            return 0.0

    monkeypatch.setattr(importing, "Pace", Rests)
    monkeypatch.setattr(importing, "PART", 2)

    def work() -> None:
        try:
            importing.take_in(row, user=None, digest=row.preview["digest"])
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert is_amid.wait(20)
    try:
        yield
    finally:
        over.set()
        thread.join(20)
    assert row.state == State.TAKEN, row.problem


def looked_at(row: Upload) -> Upload:
    assert importing.look(row).state == State.LOOKED
    return row


def test_a_file_that_is_taken_in_holds_no_book(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(account, s.SPOT + LINES[0], zone="UTC")
    rebuilding.rebuild_due(account)
    book = Book.objects.get()
    with being_taken_in(looked_at(brought(account, *LINES[1:])), monkeypatch):
        with transaction.atomic():
            assert Book.objects.select_for_update(nowait=True).get() == book
        assert Fill.objects.count() == 1, "nothing is in before all of it is"
    late = Book.objects.get()
    assert late.version == book.version + 1, "once for all of its parts"
    assert late.changed_from == AT.replace(second=0)
    assert Fill.objects.count() == 6


def test_a_second_file_comes_next(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch, alices_browser: Client
) -> None:
    first, second = looked_at(brought(account, *LINES[:4])), brought(account, *LINES[3:])
    address = reverse("account-import", args=[account.pk])
    with being_taken_in(first, monkeypatch):
        with pytest.raises(Busy):
            importing.look(second, 0.1)
        page = alices_browser.get(f"{address}?upload={second.pk}").content.decode()
        assert NEXT in page
        assert 'data-refresh="2"' in page
        assert "notice-error" not in page
    assert second.state == State.WAITING
    importing.look(second)
    assert (second.state, second.problem) == (State.LOOKED, {})
    assert (second.preview["known"], second.preview["new"]) == (1, 2), "as after the first one"


def test_each_step_of_a_file_waits_where_it_is(account: ExchangeAccount) -> None:
    taken = bring(account, s.SPOT + LINES[0], zone="UTC")
    row = looked_at(brought(account, *LINES[1:]))
    digest = row.preview["digest"]
    with another_door(account):
        with pytest.raises(Busy):
            importing.take_in(row, user=None, digest=digest, patience=0.1)
        with pytest.raises(Busy):
            undoing.undo(taken, user=None, patience=0.1)
    assert (row.state, taken.state) == (State.TAKING, State.UNDOING)
    assert Fill.objects.count() == 1
    assert undoing.undo(taken, user=None) == 1
    assert importing.take_in(row, user=None, digest=digest).state == State.TAKEN
    assert Fill.objects.count() == 5


def test_a_worker_tries_again_and_gives_up_at_last(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    row = brought(account, *LINES)
    with another_door(account) as end:
        timer = threading.Timer(0.5, end)
        timer.start()
        tasks.look_at_upload.apply((row.pk,))
        timer.join()
    row.refresh_from_db()
    assert (row.state, row.problem) == (State.LOOKED, {})
    Upload.objects.update(state=State.TAKING)
    with another_door(account):
        tasks.take_upload.apply(
            (row.pk, account.user_id, row.preview["digest"]), retries=tasks.TURNS
        )
    row.refresh_from_db()
    assert (row.state, row.problem["code"]) == (State.LOOKED, "busy")
    assert not Fill.objects.exists()
    Upload.objects.update(state=State.WAITING)
    with another_door(account):
        tasks.look_at_upload.apply((row.pk,), retries=tasks.TURNS)
    address = reverse("account-import", args=[account.pk])
    assert "Look again" in alices_browser.get(f"{address}?upload={row.pk}").content.decode()
    change = reverse("import-upload", args=[account.pk, row.pk])
    alices_browser.post(change, {"do": "zone", "zone": row.zone})
    row.refresh_from_db()
    assert (row.state, row.preview["rows"]) == (State.LOOKED, len(LINES))


def test_a_user_has_one_file_at_work_at_a_time(account: ExchangeAccount, bob: User) -> None:
    rows = [brought(made, *LINES) for made in (account, make_account(bob))]
    with locks.held(f"journal:files:{account.user_id}") as held:
        assert held is not None
        for row in rows:
            tasks.look_at_upload.apply((row.pk,), retries=tasks.TURNS - 1)
    for row in rows:
        row.refresh_from_db()
    assert [row.state for row in rows] == [State.FAILED, State.LOOKED]
    assert rows[0].problem["code"] == "busy"


def test_a_page_hands_over_what_has_to_wait(
    account: ExchangeAccount, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[tuple[str, tuple[object, ...]]] = []
    for task in (tasks.look_at_upload, tasks.take_upload, tasks.undo_upload):
        monkeypatch.setattr(
            task, "delay_on_commit", lambda *args, name=task.name: handed.append((name, args))
        )
    monkeypatch.setattr("journal.views.uploads.PAGE_PATIENCE", 0.1)
    address = reverse("account-import", args=[account.pk])
    file = SimpleUploadedFile("x.csv", (s.SPOT + LINES[0]).encode())
    with another_door(account):
        answer = alices_browser.post(address, {"file": file, "zone": "UTC"}, follow=True)
    assert NEXT in answer.content.decode()
    row = Upload.objects.get()
    looked_at(row)
    change = reverse("import-upload", args=[account.pk, row.pk])
    digest = row.preview["digest"]
    with another_door(account):
        alices_browser.post(change, {"do": "take", "digest": digest})
    importing.take_in(row, user=None, digest=digest)
    with another_door(account):
        alices_browser.post(change, {"do": "undo"})
    assert handed == [
        ("journal.look_at_upload", (row.pk,)),
        ("journal.take_upload", (row.pk, account.user_id, digest)),
        ("journal.undo_upload", (row.pk, account.user_id)),
    ]
    row.refresh_from_db()
    assert row.state == State.UNDOING


def test_two_that_take_one_file_in_do_not_undo_each_others_words(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    row = looked_at(brought(account, *LINES))
    late = Upload.objects.get(pk=row.pk)
    change = reverse("import-upload", args=[account.pk, row.pk])
    for _click in range(2):
        alices_browser.post(change, {"do": "take", "digest": row.preview["digest"]})
    importing.take_in(late, user=None, digest=row.preview["digest"])
    row.refresh_from_db()
    assert (row.state, row.rows_taken, row.problem) == (State.TAKEN, len(LINES), {})
    assert Fill.objects.count() == len(LINES)
    for _click in range(2):
        alices_browser.post(change, {"do": "undo"})
    row.refresh_from_db()
    assert row.state == State.UNDONE
    assert not Fill.objects.exists()


def test_what_went_wrong_leaves_a_way_on(
    account: ExchangeAccount, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bring(account, s.SPOT + LINES[0], zone="UTC")
    change = reverse("import-upload", args=[account.pk, row.pk])
    with monkeypatch.context() as patch:
        patch.setattr(undoing, "_delete", lambda rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            alices_browser.post(change, {"do": "undo"})
    row.refresh_from_db()
    assert (row.state, row.problem["code"]) == (State.TAKEN, "failed")
    exports.give_up(row)
    exports.choose_zone(row, "UTC")
    row.refresh_from_db()
    assert row.state == State.TAKEN, "nothing takes that from what is in"
    alices_browser.post(change, {"do": "undo"})
    assert not Fill.objects.exists()


def test_what_gave_way_to_another_comes_again(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = looked_at(brought(account, *LINES))

    def gives_way(*_args: object, **_more: object) -> None:
        raise OperationalError from errors.DeadlockDetected()

    with monkeypatch.context() as patch:
        patch.setattr(importing, "save_fills", gives_way)
        with pytest.raises(Busy):
            importing.take_in(row, user=None, digest=row.preview["digest"])
    assert row.state == State.TAKING
    assert importing.take_in(row, user=None, digest=row.preview["digest"]).state == State.TAKEN


def test_a_file_that_replaces_rows_does_not_rest_over_them(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[int] = []

    class Rests:
        def __init__(self, who: str) -> None: ...

        def rest(self) -> float:
            if connection.in_atomic_block:
                rests.append(Fill.objects.count())
            return 0.0

    monkeypatch.setattr(importing, "Pace", Rests)
    monkeypatch.setattr(importing, "PART", 1)
    bring(account, STATED, zone="UTC")
    assert rests == []
    bring(account, s.SPOT + "".join(LINES[1:4]), zone="UTC")
    looks, takes = rests[:2], rests[2:]
    assert looks == takes == [2, 3], "while it only adds"
    rests.clear()
    bring(account, BOUGHT + "".join(LINES[4:]), zone="UTC")
    assert rests == [], "the first row took the statement's place"


def test_a_file_that_takes_long_is_not_taken_for_dead(account: ExchangeAccount) -> None:
    row = looked_at(brought(account, *LINES))
    long_ago = AT - timedelta(days=1)
    Upload.objects.update(state=State.TAKING, changed_at=long_ago)
    exports.say_compared(row, 2000)
    exports.tidy(account)
    row.refresh_from_db()
    assert row.state == State.TAKING
    exports.forget_compared(row)
    exports.tidy(account)
    row.refresh_from_db()
    assert (row.state, row.problem["code"]) == (State.FAILED, "worker")


def test_a_fill_by_hand_is_told_to_come_later(
    account: ExchangeAccount, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correcting, "PAGE_PATIENCE", 0.1)
    made = ManualFill.objects.create(
        account=account,
        market="spot",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        side="BUY",
        price=D(1),
        quantity=D(1),
        time=AT,
        why="x",
    )
    address = reverse("manual-remove", args=[account.pk, made.pk])
    with another_door(account):
        answer = alices_browser.post(address, follow=True)
        assert "try again in a minute" in answer.content.decode()
    assert ManualFill.objects.exists()
    alices_browser.post(address)
    assert not ManualFill.objects.exists()


def test_the_command_says_so_too(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(import_export, "PATIENCE", 0.1)
    path = tmp_path / "x.csv"
    path.write_text(s.SPOT + LINES[0])
    with another_door(account), pytest.raises(CommandError, match="try again in a minute"):
        call_command("import_export", "alice", str(path), "--zone", "UTC")
    assert not Upload.objects.exists()
    call_command("import_export", "alice", str(path), "--zone", "UTC")
    assert Fill.objects.count() == 1
