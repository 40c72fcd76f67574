"""Bytes -> tables: CSV of any separator and encoding, XLSX, and zip, gzip or tar.gz of them, within
limits that hold while they are unpacked."""

import csv
import gzip
import io
import tarfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from journal.faults import Bad, NotAFile
from lib.lazy import Lazy

openpyxl: Any = Lazy("openpyxl")
exceptions: Any = Lazy("openpyxl.utils.exceptions")

ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
NO_FILES_ZIP = b"PK\x05\x06"
TABLES = (".csv", ".txt", ".tsv", ".xlsx")
ARCHIVES = (".zip", ".gz", ".tgz")
MOST_MEMBERS = 500
MOST_DEPTH = 2
# A spreadsheet keeps its texts in memory.
MOST_SHEET_BYTES = 50_000_000
MOST_COLUMNS = 60
# A title, a range of dates and empty lines may stand above the header.
HEADER_WITHIN = 20
LOOKED_AT = 4_000
SEPARATORS = ",;\t|"
# after UTF-8 and UTF-16, tried for a header that is known
OLD_ENCODINGS = ("gb18030", "cp949", "shift_jis", "cp1251", "cp1258", "cp1252")
Cells = list[str]
Knows = Callable[[Cells], bool]
# what openpyxl raises for files that are none, by its own code and its parser's
NO_SHEET = (
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    ParseError,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass
class Limits:
    """What is left of what one upload may cost."""

    bytes: int = 100_000_000
    rows: int = 300_000
    seconds: float = 120.0
    most_bytes: int = field(init=False)
    most_rows: int = field(init=False)
    until: float = field(init=False)
    members: int = MOST_MEMBERS

    def __post_init__(self) -> None:
        self.most_bytes, self.most_rows = self.bytes, self.rows
        self.until = time.monotonic() + self.seconds

    def take_bytes(self, count: int) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise NotAFile("unpacked", most=self.most_bytes // 1_000_000)

    def take_row(self) -> None:
        self.rows -= 1
        if self.rows < 0:
            raise NotAFile("rows", most=self.most_rows)
        if not self.rows % 1000 and time.monotonic() > self.until:
            raise NotAFile("slow")

    def take_member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise NotAFile("members", most=MOST_MEMBERS)


@dataclass
class Table:
    """`rows` are (line, cells); the header is somewhere among the first."""

    member: str
    rows: Iterator[tuple[int, Cells]]


def tables(body: bytes, name: str, knows: Knows, limits: Limits) -> Iterator[Table]:
    """Each is to be read before the next. Raises NotAFile, also while rows are read."""
    if not body:
        raise NotAFile("empty")
    yield from _opened(body, name, knows, limits, 0)


def _opened(body: bytes, name: str, knows: Knows, limits: Limits, depth: int) -> Iterator[Table]:
    if depth > MOST_DEPTH:
        raise NotAFile("nested")
    if body[:4] == NO_FILES_ZIP:
        raise NotAFile("no_table")
    if body[:4] == ZIP:
        yield from _zipped(body, name, knows, limits, depth)
    elif body[:2] == GZIP:
        yield from _gzipped(body, name, knows, limits, depth)
    else:
        yield Table(name, _csv_rows(body, knows, limits))


def _zipped(body: bytes, name: str, knows: Knows, limits: Limits, depth: int) -> Iterator[Table]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise NotAFile("archive") from error
    with archive:
        infos = archive.infolist()
        if any(info.filename.startswith("xl/") for info in infos):
            yield from _sheets(body, name, infos, limits)
            return
        wanted = [info for info in infos if _is_wanted(info.filename)]
        if not wanted:
            raise NotAFile("no_table")
        for info in wanted:
            limits.take_member()
            inner = _unzipped(archive, info, limits)
            member = f"{name}/{info.filename}"
            yield from _opened(inner, member, knows, limits, depth + 1)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> bytes:
    """A member is never longer than it says, since zipfile stops there."""
    if info.flag_bits & 1:
        raise NotAFile("encrypted")
    limits.take_bytes(info.file_size)
    try:
        return archive.read(info)
    except RuntimeError as error:  # a password that the flag does not tell of
        raise NotAFile("encrypted") from error
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        zlib.error,
        ValueError,
    ) as e:
        raise NotAFile("archive") from e


def _gzipped(body: bytes, name: str, knows: Knows, limits: Limits, depth: int) -> Iterator[Table]:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            inner = packed.read(limits.bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotAFile("archive") from error
    limits.take_bytes(len(inner))
    if inner[257:262] != b"ustar":
        yield from _opened(inner, name, knows, limits, depth + 1)
        return
    for member, part in _members(inner, limits):
        yield from _opened(part, f"{name}/{member}", knows, limits, depth + 1)


def _members(body: bytes, limits: Limits) -> Iterator[tuple[str, bytes]]:
    has_table = False
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as tar:
            for info in tar:
                limits.take_member()
                part = tar.extractfile(info) if info.isreg() and _is_wanted(info.name) else None
                if part is not None:
                    has_table = True
                    yield info.name, part.read()
    except (tarfile.TarError, EOFError, OSError, KeyError, ValueError) as error:
        if isinstance(error, Bad):
            raise
        raise NotAFile("archive") from error
    if not has_table:
        raise NotAFile("no_table")


def _is_wanted(name: str) -> bool:
    last = name.rsplit("/", 1)[-1].lower()
    is_hidden = name.startswith("__MACOSX/") or last.startswith((".", "~$"))
    return last.endswith(TABLES + ARCHIVES) and not is_hidden


# --- spreadsheets -------------------------------------------------------------------------------


def _sheets(
    body: bytes, name: str, infos: list[zipfile.ZipInfo], limits: Limits
) -> Iterator[Table]:
    size = sum(info.file_size for info in infos)
    if size > MOST_SHEET_BYTES:
        raise NotAFile("unpacked", most=MOST_SHEET_BYTES // 1_000_000)
    limits.take_bytes(size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that nobody needs here
            book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True)
            sheets = list(book.worksheets)
    except (*NO_SHEET, exceptions.InvalidFileException) as error:
        raise NotAFile("spreadsheet") from error
    for sheet in sheets:
        limits.take_member()
        member = name if len(sheets) == 1 else f"{name}/{sheet.title}"
        yield Table(member, _sheet_rows(sheet, limits))


def _sheet_rows(sheet: Any, limits: Limits) -> Iterator[tuple[int, Cells]]:
    try:
        sheet.reset_dimensions()  # what it claims may be wrong
        rows = sheet.iter_rows(values_only=True)
        for line, values in enumerate(rows, 1):
            limits.take_row()
            cells = [_cell(value) for value in values[:MOST_COLUMNS]]
            if any(cells):
                yield line, cells
    except NO_SHEET as error:
        if isinstance(error, Bad):
            raise
        raise NotAFile("spreadsheet") from error


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f") if value.year > 999 else str(value)
    return repr(value) if isinstance(value, float) else str(value).strip()


# --- text ---------------------------------------------------------------------------------------


def _csv_rows(body: bytes, knows: Knows, limits: Limits) -> Iterator[tuple[int, Cells]]:
    text = _text(body, knows)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False)
    try:
        for cells in reader:
            limits.take_row()
            cut = [cell.strip() for cell in cells[:MOST_COLUMNS]]
            if any(cut):
                yield reader.line_num, cut
    except csv.Error as error:
        raise NotAFile("table", line=reader.line_num) from error


def _text(body: bytes, knows: Knows) -> str:
    """Raises NotAFile for what is no text."""
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return _decoded(body, "utf-16") or _no_table()
    if body[1:20:2].count(0) >= 9:  # UTF-16 without a mark
        return _decoded(body, "utf-16-le") or _no_table()
    text = _decoded(body, "utf-8-sig")
    if text is not None:
        return text
    for encoding in OLD_ENCODINGS:
        text = _decoded(body, encoding)
        if text is not None and _has_header(text, knows):
            return text
    return _no_table()


def _no_table() -> str:
    raise NotAFile("no_table")


def _decoded(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return None


def _has_header(text: str, knows: Knows) -> bool:
    separator = _separator(text)
    lines = text[:LOOKED_AT].splitlines()[:HEADER_WITHIN]
    return any(knows([cell.strip(' "') for cell in line.split(separator)]) for line in lines)


def _separator(text: str) -> str:
    """What stands most often outside of quotes in the first lines."""
    seen = dict.fromkeys(SEPARATORS, 0)
    is_quoted = False
    for sign in text[:LOOKED_AT]:
        if sign == '"':
            is_quoted = not is_quoted
        elif not is_quoted and sign in seen:
            seen[sign] += 1
    return max(seen, key=lambda sign: seen[sign])
