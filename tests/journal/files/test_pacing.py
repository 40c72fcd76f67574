"""Work on a file rests beside others: while it is read, not from its own time, and between the
parts that are taken in."""

import pytest
from django.db import connection

from accounts.models import User
from journal.files import tables
from journal.models import Upload
from journal.services import importing
from tests.journal.accounts import make_account

HEADER = "Date(UTC),Pair,Side,Price,Executed,Amount,Fee\n"
ROWS = 3_000


@pytest.mark.django_db(transaction=True)
def test_a_file_is_read_in_its_time_however_much_it_rests(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    was_locked: list[bool] = []

    class Rests:
        def __init__(self, who: str) -> None:
            assert who == f"u{alice.pk}"

        def rest(self) -> float:
            was_locked.append(connection.in_atomic_block)
            passed[0] += 50.0
            return 50.0

    monkeypatch.setattr(importing, "Pace", Rests)
    monkeypatch.setattr(tables, "time", _Time(passed))
    lines = "".join(
        f"2026-03-{1 + n % 28:02} 10:{n % 60:02}:00,BTCUSDT,BUY,100,1BTC,100USDT,0BTC\n"
        for n in range(ROWS)
    )
    upload = Upload.objects.create(
        account=make_account(alice), name="trades.csv", body=(HEADER + lines).encode(), zone="UTC"
    )
    importing.look(upload)
    assert (upload.state, upload.problem) == (Upload.State.LOOKED, {})
    assert upload.preview["rows"] == ROWS
    assert was_locked == [False] * (ROWS // 250) + [True] * (ROWS // importing.PART)
    assert passed[0] > tables.Limits().seconds


class _Time:
    def __init__(self, passed: list[float]) -> None:
        self._passed = passed

    def monotonic(self) -> float:
        return self._passed[0]
