"""Files of another layout, corrected ones, and the names of what is in them."""

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from lib.decimals import UNIT
from market.archive import seconds as archive
from market.models import ArchiveFile, Gap, Instrument, Listing
from tests.conftest import MakeInstrument
from tests.market.vision import archives
from tests.market.vision.days import rows, run, stored, write

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\r".join(rows(1, 1)), "lines that end with LF or CRLF"),
        ("\n".join(f"{line},1,2" for line in rows(1, 1)), "expected 6 or 7 columns, were 9"),
        ("\n".join([*rows(1, 1), "x" * 200_000]), "line 11"),
        ("\n".join([*rows(1, 1), '"' * 5]), "line 11"),
    ],
)
def test_a_layout_that_nobody_knows_is_refused(
    make_instrument: MakeInstrument, tmp_path: Path, text: str, sentence: str
) -> None:
    make_instrument()
    with zipfile.ZipFile(tmp_path / "BTCUSDT-trades-2023-10-01.zip", "w") as file:
        file.writestr("x.csv", text)
    with pytest.raises(CommandError, match=sentence):
        run(tmp_path)
    assert not ArchiveFile.objects.exists()


def test_windows_line_ends_are_read(make_instrument: MakeInstrument, tmp_path: Path) -> None:
    make_instrument()
    path = tmp_path / "BTCUSDT-trades-2023-10-01.csv"
    path.write_bytes("".join(f"{line}\r\n" for line in rows(1, 1)).encode())
    run(tmp_path)
    assert sum(bar.trades for bar in stored().values()) == 10


def test_a_corrected_file_closes_the_gap_of_the_one_before(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    lines = rows(1, 101, 20)
    write(tmp_path, 1, lines[:4] + lines[9:])
    run(tmp_path)
    gap = Gap.objects.get()
    assert (gap.first_id, gap.last_id, gap.state) == (105, 109, "unfillable")
    write(tmp_path, 1, lines[:7] + lines[8:])  # still lacks one
    run(tmp_path)
    states = Gap.objects.order_by("first_id").values_list("first_id", "last_id", "state")
    assert list(states) == [(105, 107, "filled"), (108, 108, "unfillable"), (109, 109, "filled")]
    write(tmp_path, 1, lines)
    run(tmp_path)
    assert set(Gap.objects.values_list("state", flat=True)) == {"filled"}
    assert sum(bar.trades for bar in stored().values()) == 20


def test_a_corrected_file_corrects_what_came_from_the_archive_and_nothing_else(
    make_instrument: MakeInstrument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    instrument = make_instrument()
    write(tmp_path, 1, rows(1, 1, 3))
    run(tmp_path)
    bars = stored()
    collected = bars[max(bars)]
    collected.revision = 1
    archive.save(instrument.pk, "usd-1", [collected], None)  # a collector writes the same
    write(tmp_path, 1, rows(1, 1, 3, "7"))
    run(tmp_path)
    assert [bar.base_sell // UNIT for bar in stored().values()] == [7, 7, 2]
    assert "1 seconds differ" in capsys.readouterr().out
    before = stored()
    run(tmp_path)
    assert [bar.flow() for bar in stored().values()] == [bar.flow() for bar in before.values()]


def test_coins_are_those_that_the_exchange_lists(tmp_path: Path, db: None) -> None:
    Listing.objects.create(
        venue="simulator",
        market="spot",
        symbol="BTCGBP",
        base_asset="BTC",
        quote_asset="GBP",
        status="TRADING",
        tick_size=Decimal(1),
        step_size=Decimal(1),
        min_notional=Decimal(1),
        refreshed_at=timezone.now(),
    )
    archives.write(tmp_path, "BTCGBP-trades-2023-10-01", rows(1, 1))
    call_command("import_vision", "BTCGBP", "--dir", str(tmp_path))
    instrument = Instrument.objects.get()
    assert (instrument.base_asset, instrument.quote_asset) == ("BTC", "GBP")
