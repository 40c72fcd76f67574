"""Files that go out, and files that lie about."""

import io
import stat
import zipfile
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from django.db import connection

from journal.answers import as_csv
from launcher.places import Places
from launcher.servers import Servers, postgres_settings
from tests.sent import whole

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_a_list_as_csv_is_read_whole_before_it_is_sent() -> None:
    """A slow reader holds a file, and neither a cursor nor a connection."""
    read: list[int] = []

    def rows() -> object:
        with connection.cursor() as cursor:
            for number in range(3000):
                cursor.execute("SELECT %s", [number])
                read.append(number)
                yield {"number": number, "note": "=1"}

    answer = as_csv(rows(), "x.csv")  # type: ignore[arg-type]
    assert len(read) == 3000

    lines = whole(answer).decode().splitlines()
    answer.close()
    assert lines[:2] == ["number,note", "0,'=1"]
    assert len(lines) == 3001


def test_no_text_of_a_workbook_is_a_link_or_a_formula() -> None:
    rooms = ("accounts", "alerts", "config", "journal", "lib", "market", "trading")
    sources = [path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py")]
    makers = [source for source in sources if "xlsxwriter.Workbook(" in source]
    plain = '"strings_to_formulas": False, "strings_to_urls": False'
    assert makers
    assert all(plain in source for source in makers)
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    sheet.write(0, 0, "external:\\\\evil\\share\\x.xlsx")
    sheet.write(1, 0, "=1+1")
    book.close()
    archive = zipfile.ZipFile(packed)
    assert not [name for name in archive.namelist() if "rels" in name and "sheet" in name]
    assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_postgresql_writes_no_values_into_its_log() -> None:
    words = postgres_settings()
    assert "log_min_error_statement=panic" in words
    assert "log_error_verbosity=terse" in words


def test_logs_are_read_by_their_owner_only(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.logs.mkdir()
    (places.logs / "postgres.log").write_text("from before")
    (places.logs / "postgres.log").chmod(0o644)
    servers = Servers(places)
    servers._spawn(["true"], "postgres.log", lambda: None, None).wait(30)
    mode = (places.logs / "postgres.log").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_dockers_secrets_are_closed_to_others_of_the_host() -> None:
    script = (ROOT / "docker/make-secrets.sh").read_text()
    assert "chmod 700 secrets\n" in script
