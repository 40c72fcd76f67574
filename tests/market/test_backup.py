"""The restore drill: everything as it was, and Redis forgets what it knew."""

import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from market.archive import backup as backups
from market.archive import seconds as archive
from market.models import CollectorLease, Instrument
from tests.conftest import MakeInstrument
from tests.market.test_rollups import START, second

pytestmark = pytest.mark.django_db(transaction=True)


def digests() -> dict[str, str]:
    with transaction.atomic(), connection.cursor() as cursor:
        return backups.digests(cursor)


def test_every_row_comes_back_and_later_ones_are_gone(
    make_instrument: MakeInstrument, alice: User, tmp_path: Path, empty_redis: redis.Redis
) -> None:
    instrument = make_instrument()
    rng = random.Random(1)
    bars = [second(START + n, 1 + 9 * n, rng) for n in range(300)]
    archive.save(instrument.pk, "usd-1", bars, None)
    path = tmp_path / "tapelog.backup"
    call_command("backup", str(path))
    expected = json.loads((tmp_path / "tapelog.backup.json").read_text())
    assert expected["market_second_bar"].startswith("300 ")
    User.objects.create_user("mallory", "m@example.org", "mallory-secret-1")
    archive.save(instrument.pk, "usd-1", [second(START + 9 * 86_400, 9999, rng)], None)
    empty_redis.hset("tl:tape:{simulator:spot:BTCUSDT}:state", "last_id", "9999")
    call_command("restore", str(path), "--yes")
    found = archive.load(instrument.pk, 0, 2**33)
    assert [bar.flow() for bar in found.values()] == [bar.flow() for bar in bars]
    assert list(User.objects.values_list("username", flat=True)) == ["alice"]
    assert not empty_redis.keys("tl:tape:*")
    Instrument.objects.create(venue="simulator", market="spot", symbol="X", band_set="usd-1")


def test_a_damaged_backup_changes_nothing(alice: User, tmp_path: Path) -> None:
    path = tmp_path / "tapelog.backup"
    call_command("backup", str(path))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    before = digests()
    with pytest.raises(CommandError, match="pg_restore"):
        call_command("restore", str(path), "--yes")
    assert digests() == before
    assert [file.name for file in tmp_path.glob("*.sql")] == []


def test_it_refuses_while_a_collector_works_and_what_cannot_be(alice: User, tmp_path: Path) -> None:
    path = tmp_path / "tapelog.backup"
    call_command("backup", str(path))
    with pytest.raises(CommandError, match="expected a new file"):
        call_command("backup", str(path))
    with pytest.raises(CommandError, match="expected a folder that exists"):
        call_command("backup", str(tmp_path / "none" / "file"))
    with pytest.raises(CommandError, match="expected a backup file"):
        call_command("restore", str(tmp_path / "other"), "--yes")
    until = timezone.now() + timedelta(seconds=9)
    CollectorLease.objects.create(share="simulator:spot", holder="one:1", until=until)
    with pytest.raises(CommandError, match="expected Tapelog to be stopped, running: one:1"):
        call_command("restore", str(path), "--yes")
