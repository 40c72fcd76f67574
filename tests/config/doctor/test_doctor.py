"""The command, on the real stores of the tests."""

import contextlib
import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import ExchangeAccount
from accounts.vault import keyring
from config.doctor import gathering
from config.doctor.findings import Level
from market.archive.backup import backup_and_thin, newest_backup, newest_drill
from tests.away import redis_away
from tests.conftest import MakeInstrument

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.KEK_DIR = tmp_path / "keys"
    settings.BACKUP_DIR = tmp_path / "backups"
    keyring.ensure()
    yield settings.KEK_DIR


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own server does not wait for the disk, which no other one may."""
    hasty = {"fsync", "full_page_writes", "synchronous_commit"}
    kept = tuple(name for name in gathering.POSTGRES_SETTINGS if name not in hasty)
    monkeypatch.setattr(gathering, "POSTGRES_SETTINGS", kept)


def doctor(*words: str) -> tuple[dict[str, Any], int]:
    out = StringIO()
    try:
        call_command("doctor", "--json", *words, stdout=out)
    except SystemExit as end:
        return json.loads(out.getvalue()), int(str(end.code))
    return json.loads(out.getvalue()), 0


def topics(answer: dict[str, Any], level: Level) -> set[str]:
    return {row["topic"] for row in answer["findings"] if row["level"] == level}


def test_an_embedded_installation_without_backup_mail_and_tls_has_warnings_only(
    settings: Any,
) -> None:
    settings.IS_EMBEDDED, settings.HAS_MAIL = True, False
    settings.SESSION_COOKIE_SECURE = False
    answer, status = doctor()
    assert {"backup", "mail", "tls"} <= topics(answer, Level.WARNING)
    assert not topics(answer, Level.ERROR), answer
    assert status == 0


def test_every_topic_of_the_contract_is_looked_at() -> None:
    answer, _ = doctor()
    assert {row["topic"] for row in answer["findings"]} >= {
        "settings",
        "clock",
        "disk",
        "keys",
        "secrets",
        "postgresql",
        "valkey",
        "migrations",
        "queues",
        "leases",
        "tapes",
        "ban",
        "histories",
        "backup",
        "outgoing",
        "mail",
        "tls",
    }


def test_a_readable_key_file_makes_the_exit_status_one(keys: Path) -> None:
    next(path for path in keys.iterdir() if path.name.isdigit()).chmod(0o440)
    answer, status = doctor()
    assert "keys" in topics(answer, Level.ERROR)
    assert status == 1


def test_a_market_that_nobody_collects_is_an_error(make_instrument: MakeInstrument) -> None:
    make_instrument("BTCUSDT")
    answer, status = doctor()
    assert {"leases", "tapes"} <= topics(answer, Level.ERROR)
    assert status == 1


def test_a_store_that_is_away_hides_no_other_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    away = redis_away()
    monkeypatch.setattr("config.doctor.gathering.hot_client", lambda: away)
    answer, status = doctor()
    assert {"valkey", "queues", "clock"} <= topics(answer, Level.ERROR)
    assert "postgresql" in topics(answer, Level.OK)
    assert status == 1


def test_the_words_for_people_have_a_remedy_below_each_finding() -> None:
    out = StringIO()
    with contextlib.suppress(SystemExit):
        call_command("doctor", stdout=out)
    lines = out.getvalue().splitlines()
    bad = [at for at, line in enumerate(lines) if line.startswith(("WARNING", "ERROR"))]
    assert bad
    assert all(lines[at + 1].lstrip().startswith("→ ") for at in bad)


def test_backups_without_a_name_are_thinned_and_the_newest_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Path) -> Any:
        path.write_text("dump")
        path.with_name(path.name + ".json").write_text("{}")
        return path

    monkeypatch.setattr("market.archive.backup.backup", write)
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "tapelog-20260101T000000Z.dump.restored").write_text("one table")
    (folder / "mine.dump").write_text("not made so")
    for day in (1, 2, 3):
        write(folder / f"tapelog-2026010{day}T000000Z.dump")
        os.utime(folder / f"tapelog-2026010{day}T000000Z.dump", (day, day))
    _, gone = backup_and_thin(folder, keep=2)
    assert gone == ["tapelog-20260101T000000Z.dump", "tapelog-20260102T000000Z.dump"]
    assert (folder / "mine.dump").exists()
    assert not (folder / "tapelog-20260101T000000Z.dump.json").exists()
    assert (newest_backup(folder) or 0) > 1000
    # the trial restore counts on, though the backup that it was of is gone
    assert newest_drill(folder) is not None


def test_a_refused_key_is_told(alice: Any) -> None:
    ExchangeAccount.objects.create(
        user=alice,
        venue="simulator",
        label="Main",
        key_kind="hmac",
        kek_id=1,
        api_key=b"x",
        api_secret=b"x",
        api_key_hash="h",
        last_four="abcd",
        state=ExchangeAccount.State.BROKEN,
    )
    answer, _ = doctor()
    assert "histories" in topics(answer, Level.WARNING)


@pytest.mark.django_db(transaction=True)
def test_it_restores_the_newest_backup_for_a_try_and_says_so(alice: Any) -> None:
    call_command("backup", stdout=StringIO())
    answer, _ = doctor("--drill")
    drill = next(row for row in answer["findings"] if row["topic"] == "drill")
    assert drill["level"] == Level.OK
    assert "every row as it was" in drill["text"]
    assert "the last trial restore was 0 days ago" in str(answer["findings"])


def test_a_trial_without_a_backup_is_an_error_with_a_sentence() -> None:
    answer, status = doctor("--drill")
    drill = next(row for row in answer["findings"] if row["topic"] == "drill")
    assert "expected a backup in" in drill["text"]
    assert status == 1
