"""Damaged, empty, odd and corrected files: what is wrong is told, and the rest goes on."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from lib.dates import to_ms
from market.models import ArchiveFile, CoveredSpan, Gap, ImportJob
from market.vision import importing, jobs
from market.vision.importing import import_days
from tests.conftest import MakeInstrument
from tests.market.vision import archives
from tests.market.vision.days import DAY, rows, run, stored, write

pytestmark = pytest.mark.django_db
HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"


def aggregates(day: int, first_id: int, quantities: list[str]) -> list[str]:
    start = to_ms(DAY + timedelta(days=day - 1))
    return [
        f"{first_id + n},100,{quantity},{n},{n},{start + n * 1000},true"
        for n, quantity in enumerate(quantities)
    ]


def encrypt(path: Path) -> None:
    """Say in a zip's heads that its file is encrypted."""
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    digest = hashlib.sha256(bytes(data)).hexdigest()
    path.with_name(path.name + ".CHECKSUM").write_text(f"{digest}  {path.name}\n")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The archive's folder of BTCUSDT's trades by day, served as the exchange does."""
    handler = functools.partial(Quiet, directory=str(tmp_path / "site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.BINANCE_VISION_URL = f"http://127.0.0.1:{server.server_address[1]}"
    settings.DATA_DIR = tmp_path / "data"
    yield tmp_path / "site/data/spot"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(first: int, last: int) -> ImportJob:
    return jobs.ask(
        market="spot",
        symbol="BTCUSDT",
        kind="trades",
        first_day=date(2023, 10, first),
        last_day=date(2023, 10, last),
        asked_by="alice",
    )


def run_all() -> None:
    for _ in range(10):
        job = jobs.next_one()
        if job is None:
            return
        jobs.run(job)
    pytest.fail("the jobs have no end")


def test_an_encrypted_file_fails_its_job_and_the_next_one_runs(
    make_instrument: MakeInstrument, site: Path
) -> None:
    make_instrument()
    encrypt(write(site / "daily/trades/BTCUSDT", 1, rows(1, 1)))
    write(site / "daily/trades/BTCUSDT", 2, rows(2, 11))
    ill, well = ask(1, 1), ask(2, 2)
    run_all()
    ill.refresh_from_db()
    well.refresh_from_db()
    assert (ill.state, well.state, well.rows) == ("failed", "done", 10)
    assert "BTCUSDT-trades-2023-10-01.zip" in ill.note
    assert "encrypted" in ill.note


def test_whatever_a_library_raises_is_the_jobs_note(
    make_instrument: MakeInstrument, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instrument()
    write(site / "daily/trades/BTCUSDT", 2, rows(2, 11))
    ill, well = ask(1, 1), ask(2, 2)
    real = import_days

    def odd(**asked: Any) -> None:
        if asked["first"] == date(2023, 10, 1):
            raise KeyError("nobody thought of it")
        real(**asked)

    monkeypatch.setattr(importing, "import_days", odd)
    run_all()
    ill.refresh_from_db()
    well.refresh_from_db()
    assert (ill.state, ill.note) == ("failed", "KeyError: 'nobody thought of it'")
    assert well.state == "done"


def test_a_job_that_takes_its_worker_with_it_fails_and_does_not_hold_others_back(
    make_instrument: MakeInstrument, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instrument()
    write(site / "daily/trades/BTCUSDT", 2, rows(2, 11))
    killer, well = ask(1, 1), ask(2, 2)
    real, order = import_days, []

    def kill(**asked: Any) -> None:
        order.append(asked["first"].day)
        if asked["first"] == date(2023, 10, 1):
            raise SystemExit
        real(**asked)

    monkeypatch.setattr(importing, "import_days", kill)
    for _ in range(6):
        waiting = jobs.next_one()
        if waiting is not None:
            try:
                jobs.run(waiting)
            except SystemExit:
                stale = timezone.now() - timedelta(minutes=3)
                ImportJob.objects.filter(state="running").update(updated_at=stale)
    killer.refresh_from_db()
    well.refresh_from_db()
    assert order == [1, 2, 1, 1]
    assert (killer.state, well.state) == ("failed", "done")
    assert "killed 3 times" in killer.note
    assert jobs.next_one() is None
    assert jobs.go_on(killer.pk)  # by hand it may try again


def test_behind_a_damaged_day_it_goes_on_and_names_it_in_the_end(
    make_instrument: MakeInstrument, site: Path
) -> None:
    make_instrument()
    folder = site / "daily/trades/BTCUSDT"
    write(folder, 1, rows(1, 1))
    write(folder, 2, [*rows(2, 11), "20,abc,1,1,1696204800000,True,True"])
    write(folder, 3, rows(3, 21))
    job = ask(1, 3)
    run_all()
    job.refresh_from_db()
    assert (job.state, job.files_done) == ("failed", 3)
    assert "BTCUSDT-trades-2023-10-02.zip, line 11" in job.note
    assert set(ArchiveFile.objects.values_list("rows", flat=True)) == {10}
    assert ArchiveFile.objects.count() == 2
    write(folder, 2, rows(2, 11))  # the exchange mended it: the same job goes on
    jobs.go_on(job.pk)
    run_all()
    job.refresh_from_db()
    assert job.state == "done"
    assert CoveredSpan.objects.get().last_id == 30


def test_a_damaged_month_is_taken_day_by_day(make_instrument: MakeInstrument, site: Path) -> None:
    make_instrument()
    days = [rows(day, day * 10, 10) for day in range(1, 32)]
    twice = [line for lines in days for line in lines for _ in range(2)]
    archives.write(site / "monthly/trades/BTCUSDT", "BTCUSDT-trades-2023-10", twice)
    for day, lines in enumerate(days, 1):
        write(site / "daily/trades/BTCUSDT", day, lines)
    job = ask(1, 31)
    run_all()
    job.refresh_from_db()
    assert (job.state, job.rows) == ("done", 310)
    assert "BTCUSDT-trades-2023-10.zip, line 2: expected ids that grow" in job.note
    assert "its days were taken instead" in job.note
    assert sum(bar.trades for bar in stored().values()) == 310


def test_in_a_folder_too_a_damaged_month_gives_way_to_its_days(
    make_instrument: MakeInstrument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_instrument()
    archives.write(tmp_path, "BTCUSDT-trades-2023-10", ["1,abc", "2"])
    write(tmp_path, 1, rows(1, 1))
    write(tmp_path, 2, ["hello"])
    write(tmp_path, 3, rows(3, 11))
    with pytest.raises(CommandError, match=r"BTCUSDT-trades-2023-10-02.zip, line 1"):
        run(tmp_path)
    assert "its days were taken instead" in capsys.readouterr().out
    assert sum(bar.trades for bar in stored().values()) == 20


def test_a_day_without_a_row_is_covered(
    make_instrument: MakeInstrument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_instrument()
    lines = [*rows(1, 1), f"11,100,1,100,{to_ms(DAY + timedelta(days=1)) - 10},True,True"]
    write(tmp_path, 1, lines)
    write(tmp_path, 2, [], header=HEADER)
    write(tmp_path, 3, [])
    run(tmp_path)
    assert (
        "BTCUSDT-trades-2023-10-02.zip has no rows: nothing was traded" in capsys.readouterr().out
    )
    assert CoveredSpan.objects.get().to_ms == to_ms(DAY + timedelta(days=3))
    write(tmp_path, 4, rows(4, 12))
    run(tmp_path)
    [span] = CoveredSpan.objects.all()
    assert (span.first_id, span.last_id) == (1, 21)
    assert not Gap.objects.exists()


def test_nothing_at_all_without_a_checksum_is_no_quiet_day(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    write(tmp_path, 1, [], checksum=False)
    with pytest.raises(CommandError, match=r"2023-10-01.zip: expected rows of trades, found none"):
        run(tmp_path)


def test_aggregates_of_nothing_are_counted_and_told(
    make_instrument: MakeInstrument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_instrument(market="usdm")
    lines = aggregates(1, 1, ["1", "0.0", "2", "0.0", "0"])
    archives.write(tmp_path, "BTCUSDT-aggTrades-2023-10-01", lines, header=HEADER)
    run(tmp_path, "--market", "usdm")
    assert "3 aggregates without a price or quantity" in capsys.readouterr().out
    assert sum(bar.trades for bar in stored().values()) == 2


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        ("0.30000000000000004", "at most 8 decimal places"),
        ("1.123456780000001", "at most 8 decimal places"),
        ("1.123456789", "at most 8 decimal places"),
        ("+0.23", "plain numbers"),
        (" 0.23", "plain numbers"),
        ("1E+2", "plain numbers"),
        ("-1", "above 0"),
        ("1" * 40, "below 10 to the 30"),
    ],
)
def test_no_figure_is_rounded_in_silence(
    make_instrument: MakeInstrument, tmp_path: Path, quantity: str, sentence: str
) -> None:
    make_instrument()
    write(tmp_path, 1, [*rows(1, 1, 3), *rows(1, 4, 1, quantity)])
    with pytest.raises(CommandError, match=rf"line 4: expected .*{sentence}"):
        run(tmp_path)


def test_zeros_behind_the_eighth_place_lose_nothing(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    write(tmp_path, 1, rows(1, 1, 1, "0.123456780000"))
    run(tmp_path)
    assert [bar.base_sell for bar in stored().values()] == [12345678]
