"""Backups by the schedule, on a real PostgreSQL: when one is due, what is written down, what leaves
the machine, and that a trial restore finds a row that differs."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from market.archive import programs
from market.archive.drill import try_restoring
from market.archive.programs import BackupError
from market.models import BackupRun
from market.selectors.backups import standing
from market.services import backing_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.BACKUP_HOUR, settings.BACKUP_KEEP = 3, 2
    settings.BACKUP_COMMAND, settings.BACKUP_DRILL_DAYS = "", 0
    long_ago = timezone.now() - timedelta(days=400)
    monkeypatch.setattr(backing_up, "installed_at", lambda: long_ago)
    return tmp_path / "backups"


def at(hour: int, day: int = 0) -> datetime:
    """That hour of today, or of a day before or behind it."""
    now = timezone.now() + timedelta(days=day)
    return now.replace(hour=hour, minute=30, second=0, microsecond=0)


def run_at(when: datetime, **fields: Any) -> BackupRun:
    fields = {"kind": "backup", "state": "done", "ended_at": when, **fields}
    run = BackupRun.objects.create(**fields)
    BackupRun.objects.filter(pk=run.pk).update(started_at=when)
    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.dump"))


def test_a_backup_is_due_once_its_hour_has_passed() -> None:
    run_at(at(4, day=-1))
    assert not backing_up.is_backup_due(at(2))
    assert backing_up.is_backup_due(at(3))


def test_a_machine_that_was_off_makes_it_when_it_is_on_again() -> None:
    run_at(at(4, day=-9))
    assert backing_up.is_backup_due(at(23))


def test_a_fresh_installation_waits_for_its_first_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backing_up, "installed_at", lambda: at(5))
    assert not backing_up.is_backup_due(at(23))
    assert backing_up.is_backup_due(at(4, day=1))


def test_what_failed_is_tried_again_an_hour_later() -> None:
    run_at(at(3), state="failed", problem="no room")
    assert not backing_up.is_backup_due(at(3) + timedelta(minutes=59))
    assert backing_up.is_backup_due(at(3) + timedelta(minutes=61))


def test_it_is_made_thinned_and_written_down(folder: Path, alice: User) -> None:
    folder.mkdir(mode=0o700)
    for day in (1, 2):
        (folder / f"tapelog-2026010{day}T000000Z.dump").write_text("old")
    backing_up.work_through(at(4, day=1))
    run = BackupRun.objects.get()
    assert run.state == BackupRun.State.DONE
    assert names(folder) == ["tapelog-20260102T000000Z.dump", run.file]
    assert run.size_bytes == (folder / run.file).stat().st_size > 10_000
    assert run.tables == len(json.loads((folder / f"{run.file}.json").read_text())) > 50
    assert standing().made_at == pytest.approx(timezone.now().timestamp(), abs=60)


def test_nothing_is_made_twice_and_nothing_where_it_is_off(folder: Path, settings: Any) -> None:
    settings.BACKUP_HOUR = -1
    backing_up.work_through(at(4, day=1))
    assert not BackupRun.objects.exists()
    settings.BACKUP_HOUR = 3
    backing_up.work_through(at(4, day=1))
    BackupRun.objects.update(started_at=at(4, day=1))
    backing_up.work_through(at(5, day=1))
    assert BackupRun.objects.count() == 1


def test_a_folder_that_cannot_be_written_is_written_down(folder: Path) -> None:
    folder.write_text("a file")
    backing_up.work_through(at(4, day=1))
    run = BackupRun.objects.get()
    assert run.state == BackupRun.State.FAILED
    assert "File exists" in run.problem
    assert standing().problem == run.problem


def test_a_dump_that_fails_leaves_no_half_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], *_: Any, **__: Any) -> None:
        Path(command[-1].removeprefix("--file=")).write_text("half")
        raise BackupError("pg_dump: no room")

    monkeypatch.setattr(programs, "run", fail)
    with pytest.raises(BackupError, match="no room"):
        backing_up.back_up(2)
    assert list(folder.iterdir()) == []


def test_it_is_taken_away_by_the_operators_command(
    folder: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away place"
    away.mkdir()
    settings.BACKUP_COMMAND = f'cp {{file}} {{file}}.json "{away}"'
    monkeypatch.setenv("SECRET_KEY", "shall not be told")
    backing_up.back_up(2)
    run = BackupRun.objects.get()
    assert run.sent_at is not None
    assert sorted(path.name for path in away.iterdir()) == [run.file, f"{run.file}.json"]
    assert (away / run.file).read_bytes() == (folder / run.file).read_bytes()
    assert "SECRET_KEY" not in backing_up._plain()


def test_what_could_not_be_taken_away_is_tried_again_and_stays(folder: Path, settings: Any) -> None:
    settings.BACKUP_COMMAND = "cp {file} {folder}/nowhere/"
    backing_up.back_up(2)
    run = BackupRun.objects.get()
    assert run.state == BackupRun.State.DONE
    assert run.sent_at is None
    assert "not taken away: cp:" in standing().problem
    assert names(folder) == [run.file]
    settings.BACKUP_COMMAND = "true"
    tried_at = at(3, day=1)
    BackupRun.objects.update(started_at=tried_at, send_tried_at=tried_at)
    backing_up.work_through(tried_at + timedelta(minutes=59))
    assert BackupRun.objects.get().sent_at is None
    backing_up.work_through(tried_at + timedelta(minutes=61))
    assert BackupRun.objects.get().sent_at is not None
    assert standing().problem == ""


def test_a_command_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackupError, match="did not come to an end"):
        programs.call(["sleep", "60"], {}, 0.1)
    stopping = threading.Event()
    stopping.set()
    monkeypatch.setattr(programs, "shutdown", stopping)
    with pytest.raises(BackupError, match="stopped with Tapelog"):
        programs.call(["sleep", "60"], {}, 600.0)


def test_a_run_that_was_killed_is_told_by_the_next_one(folder: Path) -> None:
    BackupRun.objects.create(kind="backup")
    backing_up.back_up(2)
    old = BackupRun.objects.order_by("started_at")[0]
    assert (old.state, old.problem) == ("failed", "killed before its end")
    assert standing().problem == ""


@pytest.fixture
def elsewhere() -> Iterator[psycopg.Connection[Any]]:
    """Another process's connection to the same database."""
    password = str(connection.settings_dict["PASSWORD"])
    with psycopg.connect(programs.address(), password=password, autocommit=True) as other:
        yield other


def test_two_at_once_are_one(elsewhere: psycopg.Connection[Any]) -> None:
    elsewhere.execute("SELECT pg_advisory_lock(%s)", [backing_up.ONE_AT_A_TIME])
    backing_up.work_through(at(4, day=1))
    assert not BackupRun.objects.exists()
    with pytest.raises(BackupError, match="no other backup at work"):
        backing_up.back_up(2)


def test_the_drill_restores_compares_and_leaves_nothing(folder: Path, alice: User) -> None:
    backing_up.back_up(2)
    run = backing_up.drill()
    assert run.kind == BackupRun.Kind.DRILL
    assert run.tables == BackupRun.objects.get(kind="backup").tables
    assert standing().tried_at == pytest.approx(timezone.now().timestamp(), abs=60)
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE '%%\\_drill'")
        assert cursor.fetchall() == []


def test_a_trial_that_a_killed_one_left_is_made_anew(
    folder: Path, elsewhere: psycopg.Connection[Any]
) -> None:
    done, _ = backing_up.back_up(2)
    elsewhere.execute(f'CREATE DATABASE "{connection.settings_dict["NAME"]}_drill"')
    assert try_restoring(done.path) == len(done.tables)


def test_a_row_that_differs_fails_the_drill(folder: Path, alice: User) -> None:
    done, _ = backing_up.back_up(2)
    manifest = done.path.with_name(f"{done.path.name}.json")
    digests = json.loads(manifest.read_text())
    count, digest = digests["accounts_user"].split()
    manifest.write_text(json.dumps({**digests, "accounts_user": f"{count} {int(digest) + 1}"}))
    with pytest.raises(BackupError, match="rows differ from the backup: accounts_user"):
        backing_up.drill()
    assert BackupRun.objects.get(kind="drill").state == BackupRun.State.FAILED
    assert not list(folder.glob("*.restored"))


def test_a_damaged_backup_fails_the_drill(folder: Path) -> None:
    done, _ = backing_up.back_up(2)
    done.path.write_bytes(done.path.read_bytes()[:5000])
    with pytest.raises(BackupError, match="pg_restore"):
        backing_up.drill()


def test_the_drill_comes_by_itself_after_its_days(folder: Path, settings: Any) -> None:
    settings.BACKUP_DRILL_DAYS = 30
    assert not backing_up.is_drill_due(timezone.now())  # nothing to restore
    backing_up.work_through(at(4, day=1))
    assert set(BackupRun.objects.values_list("kind", "state")) == {
        ("backup", "done"),
        ("drill", "done"),
    }
    assert not backing_up.is_drill_due(timezone.now() + timedelta(days=29))
    assert backing_up.is_drill_due(timezone.now() + timedelta(days=31))
