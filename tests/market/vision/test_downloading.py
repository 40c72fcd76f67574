"""Files from the archive's own site, asked for by command or on the staff's page."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from channels.db import database_sync_to_async as in_database
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from market.models import ImportJob, Instrument
from market.vision import jobs
from market.vision.files import OFFICIAL_URL
from tests.conftest import MakeInstrument
from tests.market.vision import archives
from tests.market.vision.archives import DAY, bars_of, run, same, stored, tape

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
async def test_it_downloads_months_and_days_and_goes_on_after_a_cut(
    make_instrument: MakeInstrument, tmp_path: Path, settings: Any
) -> None:
    await in_database(make_instrument)()
    trades = tape(DAY, 1000, 1)
    path = archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    asked: list[str] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if "/monthly/" in request.path or "2025-03-04" not in request.path:
            return web.Response(status=404)
        if request.path.endswith(".CHECKSUM"):
            return web.Response(text=path.with_name(path.name + ".CHECKSUM").read_text())
        data = path.read_bytes()
        if "Range" not in request.headers:  # cut after a part
            answer = web.StreamResponse(headers={"Content-Length": str(len(data))})
            await answer.prepare(request)
            await answer.write(data[:5000])
            assert request.transport is not None
            request.transport.close()
            return answer
        start = int(request.headers["Range"][6:-1])
        return web.Response(status=206, body=data[start:])

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    settings.BINANCE_VISION_URL = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings.DATA_DIR = tmp_path / "data"
    job = await in_database(jobs.ask)(
        market="spot",
        symbol="BTCUSDT",
        kind="trades",
        first_day=date(2025, 3, 1),
        last_day=date(2025, 3, 31),
        asked_by="alice",
    )
    await in_database(jobs.run)(job.pk)
    await runner.cleanup()
    job = await in_database(ImportJob.objects.get)()
    assert (job.state, job.rows, job.files, job.files_done) == ("done", 1000, 31, 31)
    assert "the archive does not have BTCUSDT-trades-2025-03-05.zip" in job.note
    assert same(await in_database(stored)(), bars_of(trades))
    assert asked[0].endswith("/monthly/trades/BTCUSDT/BTCUSDT-trades-2025-03.zip.CHECKSUM")


def test_the_staff_page_asks_shows_stops_and_goes_on(
    client: Client, alices_browser: Client, django_user_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[int] = []
    later = "market.tasks.import_vision.delay_on_commit"
    monkeypatch.setattr(later, lambda: queued.append(1))
    assert alices_browser.get("/staff/imports/").status_code == 403
    staff = Client()
    assert staff.get("/staff/imports/").status_code == 302
    staff.force_login(django_user_model.objects.create_superuser("root", "r@example.org", "x" * 12))
    form = {"symbol": "btcusdt", "market": "spot", "kind": "trades"}
    bad = staff.post(
        "/staff/imports/", {**form, "first_day": "2025-02-02", "last_day": "2025-02-01"}
    )
    assert "Expected the first day or a later one." in bad.content.decode()
    staff.post("/staff/imports/", {**form, "first_day": "2025-02-01", "last_day": "2025-02-02"})
    [job] = ImportJob.objects.all()
    assert queued == [1]
    assert job.symbol == "BTCUSDT"
    staff.post(f"/staff/imports/{job.pk}/", {"do": "stop"})
    jobs.run(job.pk)  # never begins
    job.refresh_from_db()
    assert job.state == "stopped"
    staff.post(f"/staff/imports/{job.pk}/", {"do": "go-on"})
    assert queued == [1, 1]
    assert staff.post(f"/staff/imports/{job.pk}/", {"do": "fly"}).status_code == 400
    part = staff.get("/staff/imports/", headers={"X-Part": "refresh"}).content.decode()
    assert "BTCUSDT" in part
    assert "<html" not in part


def test_binances_trades_are_not_downloaded_into_the_simulators_tape(
    make_instrument: MakeInstrument, settings: Any
) -> None:
    settings.BINANCE_VISION_URL = OFFICIAL_URL
    with pytest.raises(CommandError, match="expected BINANCE=live, was simulator"):
        call_command("import_vision", "BTCUSDT", "--from", "2025-01-01", "--to", "2025-01-01")
    with pytest.raises(CommandError, match="expected a symbol like BTCUSDT"):
        call_command("import_vision", "../X", "--from", "2025-01-01", "--to", "2025-01-01")


def test_two_imports_of_one_market_do_not_run_at_once(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    instrument = make_instrument()
    instrument.importing_until = timezone.now() + timedelta(seconds=60)
    instrument.save()
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(tape(DAY, 10, 1)))
    with pytest.raises(CommandError, match="is being imported already"):
        run(tmp_path)
    Instrument.objects.update(importing_until=timezone.now() - timedelta(seconds=1))
    run(tmp_path)
    assert Instrument.objects.get().importing_until is None
