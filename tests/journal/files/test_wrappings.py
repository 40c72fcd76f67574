"""Whatever a table is wrapped in: encodings, spreadsheets, archives; and what is no table."""

import io
import tarfile
import time
import zipfile
from datetime import datetime
from decimal import Decimal as D

import openpyxl
import pytest

from journal.faults import NotAFile
from journal.files.tables import Limits
from tests.journal.files import samples as s
from tests.journal.files.readings import brief, take


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_ends_of_lines_are_found_out(
    encoding: str, separator: str, end: str
) -> None:
    text = s.SPOT_NEW_SHAPE.replace(",", separator).replace("\n", end)
    assert len(take(text.encode(encoding)).fills) == 2


def test_a_spreadsheet_is_read_with_real_numbers_and_times() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Spot trade history"])
    sheet.append(s.SPOT.strip().split(","))
    sheet.append(
        [
            datetime(2026, 3, 17, 9, 0, 5),  # noqa: DTZ001
            "BTCUSDT",
            "BUY",
            70000,
            "0.01BTC",
            "700USDT",
            "0.00001BTC",
        ]
    )
    sheet.append(["2026-03-17 09:34:12", "BTCUSDT", "SELL", 70100.5, "1BTC", "70100.5USDT", 0])
    body = io.BytesIO()
    book.save(body)
    fills = take(body.getvalue(), "x.xlsx").fills
    assert [brief(fill)[:1] + brief(fill)[3:5] for fill in fills] == [
        ("2026-03-17 09:00:05", D("0.01"), D(70000)),
        ("2026-03-17 09:34:12", D(1), D("70100.5")),
    ]


def test_archives_of_all_kinds_are_opened() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo("a.csv")
        info.size = len(s.SPOT_NEW_SHAPE)
        tar.addfile(info, io.BytesIO(s.SPOT_NEW_SHAPE.encode()))
    assert len(take(packed.getvalue(), "x.tar.gz").fills) == 2
    inner, outer = io.BytesIO(), io.BytesIO()
    for target, name, content in (
        (inner, "a.csv", s.SPOT_NEW_SHAPE.encode()),
        (outer, "b.zip", None),
    ):
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(name, inner.getvalue() if content is None else content)
    assert len(take(outer.getvalue(), "x.zip").fills) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"PK\x03\x04nonsense", "archive"),
        (b"\x1f\x8bnonsense", "archive"),
        (b"PK\x05\x06" + bytes(18), "no_table"),
        (b"a,b\n1,2\n", "unknown_table"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)), "no_table"),
        (b"\n\n", "no_table"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(body: bytes, code: str) -> None:
    with pytest.raises(NotAFile) as refused:
        take(body)
    assert refused.value.fault.code == code
    assert str(refused.value).endswith(".")


def test_an_archive_with_a_password_is_told_so() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", s.SPOT_NEW_SHAPE)
    body = bytearray(packed.getvalue())
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(NotAFile) as refused:
        take(bytes(body))
    assert refused.value.fault.code == "encrypted"


def test_a_bomb_costs_nothing() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "Date(UTC),Pair\n" + "a,b\n" * 1_250_000)
    started = time.monotonic()
    with pytest.raises(NotAFile):
        take(packed.getvalue())
    assert time.monotonic() - started < 2
    for limits, code in ((Limits(bytes=1000), "unpacked"), (Limits(rows=1), "rows")):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", s.SPOT_NEW_SHAPE * 20)
        with pytest.raises(NotAFile) as refused:
            take(packed.getvalue(), limits=limits)
        assert refused.value.fault.code == code
    with pytest.raises(NotAFile) as slow:
        take(s.SPOT_NEW_SHAPE * 1000, limits=Limits(seconds=-1))
    assert slow.value.fault.code == "slow"


def test_joined_files_and_a_title_above_the_header_are_read() -> None:
    assert len(take(s.SPOT_NEW_SHAPE * 2).fills) == 4
    assert len(take("My trades\n2026\n" + s.SPOT_NEW_SHAPE).fills) == 2
