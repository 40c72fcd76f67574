"""The exchange's archive becomes the very bars that were collected live; damage is refused."""

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from market.archive import rollups
from market.archive import seconds as archive
from market.flow.bars import roll_up
from market.flow.detail import Detail
from market.flow.trades import Trade
from market.hot.codec import GapRecord
from market.models import ArchiveFile, CoveredSpan, Gap
from tests import captures
from tests.conftest import MakeInstrument
from tests.market.vision import archives
from tests.market.vision.archives import DAY, NEXT, bars_of, run, same, stored, tape

pytestmark = pytest.mark.django_db


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


def test_a_zip_with_two_files_is_refused(make_instrument: MakeInstrument, tmp_path: Path) -> None:
    make_instrument()
    with zipfile.ZipFile(tmp_path / "BTCUSDT-trades-2025-03-04.zip", "w") as file:
        file.writestr("a.csv", "1")
        file.writestr("b.csv", "1")
    with pytest.raises(CommandError, match="expected a zip with one CSV file"):
        run(tmp_path)
