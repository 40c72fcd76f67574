"""The exchange's archive becomes the very bars that were collected live; damage is refused."""

import random
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from aiohttp import web
from channels.db import database_sync_to_async as in_database
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from lib.decimals import UNIT
from market.archive import rollups
from market.archive import seconds as archive
from market.flow.bands import USD
from market.flow.bars import Bar, roll_up
from market.flow.detail import Detail
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade
from market.hot import keys
from market.hot.codec import GapRecord, State, bar_fields
from market.models import ArchiveFile, CoveredSpan, Gap, ImportJob, Instrument
from market.selectors.reading import read_hot, read_span
from market.vision import jobs
from market.vision.files import OFFICIAL_URL
from tests import captures, lines
from tests.conftest import KEY, MakeInstrument
from tests.market.vision import archives

pytestmark = pytest.mark.django_db
DAY = datetime(2025, 3, 4, tzinfo=UTC)
NEXT = datetime(2025, 3, 5, tzinfo=UTC)


def tape(start: datetime, count: int, first_id: int, seed: int = 1) -> list[Trade]:
    """Trades of some minutes, with sweeps of several prices, from just after `start`."""
    rng = random.Random(seed)
    time, price, trades = int(start.timestamp()) * 1_000_000 + 700, 100 * UNIT, []
    maker = False
    for trade_id in range(first_id, first_id + count):
        if rng.random() < 0.5:
            time += rng.choice([1, 900, 40_000, 900_000, 3_000_000])
            maker = rng.random() < 0.5
        price += rng.choice([-1, 0, 1]) * UNIT // 100
        quantity = rng.choice([UNIT // 1000, UNIT, 30 * UNIT, 4000 * UNIT]) + rng.randint(1, 999)
        trades.append(Trade(trade_id, price, quantity, time, maker))
    return trades


def bars_of(trades: Sequence[Trade], ticks: int = 1_000_000) -> dict[int, Bar]:
    builder = TapeBuilder(USD, ticks)
    builder.apply(trades)
    return {at: bar for minute in builder.held.values() for at, bar in minute.items()}


def stored(symbol: str = "BTCUSDT") -> dict[int, Bar]:
    instrument = Instrument.objects.get(symbol=symbol)
    return archive.load(instrument.pk, 0, 2**33)


def same(found: dict[int, Bar], expected: dict[int, Bar]) -> bool:
    return [b.flow() for b in found.values()] == [expected[at].flow() for at in sorted(expected)]


def run(folder: Path, *more: str, symbol: str = "BTCUSDT") -> None:
    call_command("import_vision", symbol, "--dir", str(folder), *more)


def test_it_makes_the_bars_that_the_collector_makes(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    trades = tape(DAY, 6000, 500)
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    assert same(stored(), bars_of(trades))
    before = {at: bar.revision for at, bar in stored().items()}
    run(tmp_path)
    assert {at: bar.revision for at, bar in stored().items()} == before
    assert ArchiveFile.objects.get().rows == 6000


def test_times_in_ms_and_headers_are_told_from_the_content(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    trades = [
        Trade(t.id, t.price, t.quantity, t.time // 1000, t.is_buyer_maker)
        for t in tape(datetime(2024, 5, 6, tzinfo=UTC), 2000, 10)
    ]
    lines = archives.trade_lines(trades)
    header = "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match"
    lower = [line.replace("True", "true").replace("False", "false") for line in lines]
    archives.write(tmp_path, "BTCUSDT-trades-2024-05-06", lower, header=header)
    run(tmp_path)
    assert same(stored(), bars_of(trades, 1000))


def test_a_month_and_the_day_behind_it_are_one_tape(
    make_instrument: MakeInstrument, tmp_path: Path, alices_browser: Client
) -> None:
    make_instrument(is_followed=False)
    first = tape(datetime(2025, 2, 28, 23, 59, tzinfo=UTC), 900, 1)
    first = [t for t in first if archives.day_of(t) < date(2025, 3, 1)]
    second = tape(datetime(2025, 3, 1, tzinfo=UTC), 900, first[-1].id + 1, seed=2)
    archives.write(tmp_path, "BTCUSDT-trades-2025-02", archives.trade_lines(first))
    archives.write(tmp_path / "more", "BTCUSDT-trades-2025-03-01", archives.trade_lines(second))
    run(tmp_path, "--from", "2025-02-01", "--to", "2025-03-01")
    assert same(stored(), bars_of([*first, *second]))
    [span] = CoveredSpan.objects.all()
    assert (span.first_id, span.last_id) == (1, second[-1].id)
    answer = alices_browser.get(
        "/api/cvd/range",
        {
            "symbol": "BTCUSDT",
            "start": "2025-02-28T23:59:30Z",
            "end": "2025-03-01T00:02:00Z",
            "interval": "1s",
        },
    ).json()
    assert answer["source"] == "archive"
    assert all(bar["complete"] for bar in answer["bars"][1:])
    assert len(answer["bars"]) > 100  # quiet seconds are bars too


def test_only_the_days_asked_for_are_imported(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    one = tape(DAY, 100, 1)
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(one))
    two = archives.trade_lines(tape(NEXT, 100, 101))
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-05", two)
    archives.write(tmp_path, "ETHUSDT-trades-2025-03-05", two)
    run(tmp_path, "--to", "2025-03-04")
    assert same(stored(), bars_of(one))


def test_aggregates_give_orders_but_no_single_trades(
    make_instrument: MakeInstrument, tmp_path: Path, alices_browser: Client
) -> None:
    make_instrument(is_followed=False)
    trades = tape(DAY, 3000, 1)
    lines = archives.aggregate_lines(trades)
    archives.write(tmp_path, "BTCUSDT-aggTrades-2025-03-04", lines)
    run(tmp_path, "--kind", "aggTrades")
    expected, found = bars_of(trades), stored()
    for at, bar in expected.items():
        assert found[at].order == bar.order
        assert found[at].detail == Detail.ORDER
        assert (found[at].trades, found[at].delta, found[at].delta_low, found[at].last_id) == (
            bar.trades,
            bar.delta,
            bar.delta_low,
            bar.last_id,
        )
    asked = {"symbol": "BTCUSDT", "start": "2025-03-04", "end": "2025-03-04T01:00:00"}
    refused = alices_browser.get("/api/cvd/range", {**asked, "unit": "trade"})
    assert refused.status_code == 409
    assert "unit=order" in refused.json()["detail"]
    assert alices_browser.get("/api/cvd/range", {**asked, "unit": "order"}).json()["bars"]
    rollups.roll_up_due()
    assert alices_browser.get("/api/cvd/range", {**asked, "unit": "trade"}).status_code == 409
    # the single trades come later and bring what was missing
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    assert same(stored(), expected)


def test_futures_are_imported_by_their_aggregates(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    trades = tape(DAY, 500, 1)
    lines = [line.rsplit(",", 1)[0] for line in archives.aggregate_lines(trades)]
    header = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
    lower = [line.replace("True", "true").replace("False", "false") for line in lines]
    archives.write(tmp_path, "BTCUSDT-aggTrades-2025-03-04", lower, header=header)
    run(tmp_path, "--market", "usdm")
    found = stored()
    assert sum(bar.trades for bar in found.values()) == len(lines)
    assert min(bar.first_id for bar in found.values()) == 900
    with pytest.raises(CommandError, match="expected --kind aggTrades"):
        run(tmp_path, "--market", "usdm", "--kind", "trades")


def test_what_was_collected_agrees_and_what_it_missed_is_filled(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    instrument = make_instrument()
    trades = tape(DAY, 3000, 1)
    whole = bars_of(trades)
    # the collector came late, and missed some: bars with bid and ask, a partial one, an open gap
    seen = trades[1000:2000] + trades[2100:]
    mine = bars_of(seen)
    for bar in mine.values():
        bar.bid, bar.ask, bar.revision = 5, 6, 3
    a, b = trades[2000], trades[2099]
    gap = GapRecord(a.id, b.id, a.time // 1000, b.time // 1000, "cut", "open")
    archive.save(instrument.pk, "usd-1", list(mine.values()), None, [gap])
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    found = stored()
    assert same(found, whole)
    assert {(bar.bid, bar.ask, bar.revision) for at, bar in found.items() if at in mine} == {
        (5, 6, 3)
    }
    assert Gap.objects.get().state == "filled"


def test_a_difference_from_what_was_collected_is_told_and_nothing_is_overwritten(
    make_instrument: MakeInstrument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    instrument = make_instrument()
    trades = tape(DAY, 300, 1)
    mine = bars_of(trades)
    wrong = mine[min(mine)]
    wrong.quote_buy += 1
    archive.save(instrument.pk, "usd-1", list(mine.values()), None)
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    assert "1 seconds differ" in capsys.readouterr().out
    assert stored()[wrong.time].quote_buy == wrong.quote_buy


def test_ids_that_the_archive_does_not_have_are_recorded(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    trades = tape(DAY, 1000, 1)
    del trades[400:410]
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    [gap] = Gap.objects.all()
    assert (gap.first_id, gap.last_id, gap.state) == (401, 410, "unfillable")
    builder = TapeBuilder(USD)
    builder.apply(trades[:400])
    builder.break_sweep()
    builder.apply(trades[400:])
    assert same(stored(), {at: b for held in builder.held.values() for at, b in held.items()})


def test_times_that_run_against_ids_change_nothing(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    trades = tape(DAY, 2000, 1)
    trades[700], trades[705] = (
        Trade(701, 10 * UNIT, UNIT, trades[705].time, True),
        Trade(706, 11 * UNIT, UNIT, trades[700].time - 2_000_000, False),
    )
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    assert same(stored(), bars_of(trades))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda lines: lines[:3] + ["4,abc,1,1,1741046400000000,True,True"], "line 4"),
        (lambda lines: lines[:3] + ["4,1.123456789,1,1,1741046400000000,True,True"], "4.*8 dec"),
        (lambda lines: lines[:3] + [lines[1]], "line 4: expected ids that grow"),
        (lambda lines: lines[:3] + ["9,1,1,1,1741046400000,True,True"], "line 4.*own unit"),
        (lambda lines: lines[:3] + ["9,0,1,1,1741046400000000,True,True"], "line 4.*above 0"),
        (lambda lines: lines[:3] + ["9,-1,1,1,1741046400000000,True,True"], "line 4.*above 0"),
        (lambda lines: lines[:3] + ["9,1,1,1,1741046400000000,True"], "line 4"),
        (lambda lines: lines[:3] + ["9,1,,1,1741046400000000,True,True"], "line 4"),
        (lambda lines: lines[:3] + ["9,1,1,1,1741046400000000,maybe,True"], "line 4"),
        (lambda lines: ["hello,world", "1,2"], "line 1"),
        (lambda lines: ["#" + lines[0], *lines[1:]], "line 1"),
    ],
)
def test_a_damaged_file_is_refused_with_file_and_line(
    make_instrument: MakeInstrument, tmp_path: Path, damage: Any, sentence: str
) -> None:
    make_instrument()
    lines = damage(archives.trade_lines(tape(DAY, 10, 1)))
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", lines)
    with pytest.raises(CommandError, match=rf"(?s)BTCUSDT-trades-2025-03-04.zip.*{sentence}"):
        run(tmp_path)
    assert not ArchiveFile.objects.exists()


def test_a_cut_zip_and_a_wrong_checksum_are_refused(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    name = "BTCUSDT-trades-2025-03-04"
    path = archives.write(tmp_path, name, archives.trade_lines(tape(DAY, 900, 1)))
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(CommandError, match="expected SHA-256"):
        run(tmp_path)
    path.with_name(path.name + ".CHECKSUM").unlink()
    with pytest.raises(CommandError, match=name):
        run(tmp_path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CommandError, match="expected a zip with one CSV"):
        run(tmp_path)
    assert stored() == {}


def test_it_goes_on_after_it_was_killed_between_two_chunks(
    make_instrument: MakeInstrument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instrument()
    monkeypatch.setattr("market.vision.rows.CHUNK_BYTES", 4000)
    trades = tape(DAY, 1500, 1)
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    for chunk in range(3, 12, 4):
        seen = iter(range(chunk))

        def kill(progress: object, seen: Any = seen) -> None:
            if next(seen, None) is None:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("market.management.commands.import_vision.Command.tell", kill)
            with pytest.raises(CommandError, match="goes on from here"):
                patched.setattr(
                    "market.management.commands.import_vision.Command.tell",
                    lambda self, progress, kill=kill: kill(progress),
                )
                run(tmp_path)
        assert set(stored()) < set(bars_of(trades))
    run(tmp_path)
    assert same(stored(), bars_of(trades))


def test_wrong_asks_are_told_what_was_expected(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    for arguments, sentence in [
        ([], "expected --from"),
        (["--from", "soon"], "expected a day"),
        (["--from", "2025-01-02", "--to", "2025-01-01"], "expected 2025-01-02 or later"),
        (["--dir", "/nowhere"], "expected a folder"),
        (["--dir", str(tmp_path)], "expected files named BTCUSDT-trades"),
    ]:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_vision", "BTCUSDT", *arguments)


@pytest.mark.parametrize("name", [n for n in captures.NAMES if n.startswith("spot")])
def test_a_capture_imported_equals_the_collected_one(
    make_instrument: MakeInstrument, tmp_path: Path, name: str
) -> None:
    make_instrument()
    trades = captures.trades(name)
    ticks = 1_000_000 if trades[0].time > 10**15 else 1000
    lines = archives.trade_lines(trades)
    archives.write(tmp_path, "BTCUSDT-trades-2024-08-08", lines)
    run(tmp_path)
    expected = bars_of(trades, ticks)
    assert same(stored(), expected)
    minutes = roll_up(stored().values(), 60)
    assert sum(bar.trades for bar in minutes) == captures.golden(name)["trades"]


# --- downloading, and the staff page ------------------------------------------------------------


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


def test_a_zip_with_two_files_is_refused(make_instrument: MakeInstrument, tmp_path: Path) -> None:
    make_instrument()
    with zipfile.ZipFile(tmp_path / "BTCUSDT-trades-2025-03-04.zip", "w") as file:
        file.writestr("a.csv", "1")
        file.writestr("b.csv", "1")
    with pytest.raises(CommandError, match="expected a zip with one CSV file"):
        run(tmp_path)


@pytest.mark.django_db(transaction=True)
def test_minutes_that_redis_still_has_get_what_the_archive_adds(
    make_instrument: MakeInstrument, tmp_path: Path, empty_redis: redis.Redis
) -> None:
    instrument = make_instrument()
    trades = tape(DAY, 1500, 1)
    seen = bars_of(trades[700:])  # the collector came later: its first second is a part
    start, end = min(seen), max(seen)
    archive.save(instrument.pk, "usd-1", list(seen.values()), None)
    minutes = roll_up([seen[at] for at in sorted(seen)], 60)
    state = State(1500, 0, end, start * 1000 + 900, end * 1000, 1_000_000, None, start // 60 * 60)
    empty_redis.hset(keys.state(KEY), mapping=state.fields())
    for bar in minutes:
        empty_redis.hset(keys.bar(KEY, "1m", bar.time), mapping=bar_fields(bar))
        empty_redis.zadd(keys.bars(KEY, "1m"), {str(bar.time): bar.time})
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    whole = bars_of(trades)
    assert same(stored(), whole)
    span = read_span(instrument, "1m", start // 60 * 60_000, end * 1000)
    assert span.source == "hot"
    expected = {
        b.time: b
        for b in roll_up([whole[at] for at in sorted(whole) if at >= start // 60 * 60], 60)
    }
    for bar in span.bars:
        assert bar.flow() == expected[bar.time].flow()
    assert all(span.is_complete(bar) for bar in span.bars[:-1])
    revision: Any = empty_redis.hget(keys.state(KEY), "revision")
    assert int(revision) > 0  # live writers reload


# --- what a reviewer found ----------------------------------------------------------------------


def test_times_that_run_back_over_a_chunks_end_lose_nothing(
    make_instrument: MakeInstrument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instrument()
    monkeypatch.setattr("market.vision.rows.CHUNK_BYTES", 3000)
    trades = tape(DAY, 3000, 1)
    for at in range(100, 2900, 37):  # every now and then a trade that is two seconds too old
        old = trades[at]
        trades[at] = Trade(old.id, old.price, old.quantity, old.time - 2_000_000, True)
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    found = stored()
    assert sum(bar.trades for bar in found.values()) == 3000
    assert same(found, bars_of(trades))
    much = Trade(3001, UNIT, UNIT, trades[0].time, True)
    archives.write(tmp_path, "ETHUSDT-trades-2025-03-04", archives.trade_lines([*trades, much]))
    with pytest.raises(CommandError, match="expected times that grow, trade 3001"):
        run(tmp_path, symbol="ETHUSDT")


def test_a_row_that_does_not_count_ends_no_sweep(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    start = int(DAY.timestamp()) * 1_000_000
    rows = [
        f"{900 + n},100,{quantity},{n},{n},{start // 1000},true"
        for n, quantity in enumerate(("3", "0", "9"), 1)
    ]
    archives.write(tmp_path, "BTCUSDT-aggTrades-2025-03-04", rows)
    run(tmp_path, "--market", "usdm")
    [bar] = stored().values()
    assert bar.order[12:] == [0, 0, 1, 0, 0, 0]  # one order of 1200, not two


def test_ids_that_neither_of_two_days_has_are_recorded_and_gaps_over_both_are_filled(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    instrument = make_instrument()
    one = [
        t for t in tape(NEXT - timedelta(seconds=40), 400, 1) if archives.day_of(t) < NEXT.date()
    ]
    two = tape(NEXT, 100, one[-1].id + 6)
    three = tape(NEXT + timedelta(days=1), 100, two[-1].id + 1)
    missed = GapRecord(
        two[50].id, three[50].id, two[50].time // 1000, three[50].time // 1000, "cut", "open"
    )
    archive.save(instrument.pk, "usd-1", [], None, [missed])
    for day, trades in (("04", one), ("05", two), ("06", three)):
        archives.write(tmp_path, f"BTCUSDT-trades-2025-03-{day}", archives.trade_lines(trades))
    run(tmp_path)
    absent = Gap.objects.get(cause="not in the archive")
    assert (absent.first_id, absent.last_id) == (one[-1].id + 1, two[0].id - 1)
    assert Gap.objects.get(cause="cut").state == "filled"


@pytest.mark.django_db(transaction=True)
def test_redis_is_mended_by_the_next_run_when_the_first_was_killed_before_it_did(
    make_instrument: MakeInstrument,
    tmp_path: Path,
    empty_redis: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instrument = make_instrument()
    trades = tape(DAY, 600, 1)
    minute = int(DAY.timestamp())
    [part] = roll_up(list(bars_of(trades[:20]).values()), 60)
    state = State(20, 0, part.time, minute * 1000, minute * 1000 + 900, 1_000_000, None, minute)
    empty_redis.hset(keys.state(KEY), mapping=state.fields())
    empty_redis.hset(keys.bar(KEY, "1m", minute), mapping=bar_fields(part))
    empty_redis.zadd(keys.bars(KEY, "1m"), {str(minute): minute})
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    with monkeypatch.context() as patched:
        patched.setattr("market.vision.intake.mend", lambda *where: lines.kill())
        with pytest.raises(lines.Killed):
            run(tmp_path)
    run(tmp_path)
    _, hot, _, _ = read_hot(instrument.key, "1m", minute, minute + 60)
    whole = roll_up([bar for _, bar in sorted(bars_of(trades).items())], 60)[0]
    assert hot[minute].flow() == whole.flow()


def test_a_live_writer_counts_nothing_twice_behind_an_import() -> None:
    trades = tape(DAY, 900, 1)
    whole = bars_of(trades)
    builder = TapeBuilder(USD)  # it stood at id 400 and finds bars that an import completed
    builder.apply(trades[:400])
    cut = builder.sweep
    builder = TapeBuilder(USD)
    builder.sweep = cut
    for at, bar in whole.items():
        if bar.last_id <= trades[700].id:
            builder.held.setdefault(at // 60 * 60, {})[at] = bar.copy()
    for minute in {at // 60 * 60 for at in whole}:
        builder.held.setdefault(minute, {})
    builder.apply(trades[400:])
    found = {at: bar for held in builder.held.values() for at, bar in held.items()}
    assert [found[at].flow() for at in sorted(found)] == [whole[at].flow() for at in sorted(whole)]


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
