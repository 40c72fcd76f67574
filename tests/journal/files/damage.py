"""What may happen to an export on its way: shapes x damage, by a seed."""

import gzip
import io
import random
import zipfile
from collections.abc import Callable

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from tests.journal.files import samples

ODD_CELLS = (
    "",
    "-1",
    "0",
    "0E-12",
    "4e-13",
    "1e25",
    "1e999999",
    "-1e-999999",
    "NaN",
    "Infinity",
    "1,5",
    "1_000",
    "0x10",
    "٣",
    "½",
    "--",
    "null",
    "true",
    "ß" * 50,
    "X" * 5000,
    "\0",
    "a\0b",
    "\x1b[31m",
    "‮",
    "=HYPERLINK(1)",
    "'1",
    "9999-12-31 23:59:59",
    "0001-01-01 00:00:00",
    "2026-02-30 10:00:00",
    "02/03/2024 10:00",
    "1772438400000",
    "2026-03-02T10:00:00+25:00",
    "2026-03-02T10:00:00Z",
    "BTC",
    "1BTC",
    "BTCUSD_PERP",
    "１２",
    "+5",
    "5.",
    ".5",
    "1e5BTC",
    '"',
    "No data",
    "9" * 20,
)
Bytes = Callable[[random.Random, bytes], bytes]


def exports(seed: int) -> tuple[str, bytes]:
    """(name, body) of one damaged file; the same seed is the same file."""
    chance = random.Random(seed)  # noqa: S311
    name, text = chance.choice(sorted(samples.ALL.items()))
    for _time in range(chance.choice((0, 1, 1, 2, 3))):
        text = chance.choice(TEXT)(chance, text)
    name = chance.choice((name, name, "x.csv", "(UTC+14).csv", "(UTC--13).csv", "\0\n", "ß" * 150))
    body = text.encode(errors="surrogatepass")
    if chance.random() < 0.6:
        body = chance.choice(BODY)(chance, body)
    return name, body


def _cells(chance: random.Random, text: str) -> tuple[list[str], int]:
    lines = text.split("\n")
    return lines, chance.randrange(len(lines))


def _odd_cell(chance: random.Random, text: str) -> str:
    lines, number = _cells(chance, text)
    cells = lines[number].split(",")
    cells[chance.randrange(len(cells))] = chance.choice(ODD_CELLS)
    lines[number] = ",".join(cells)
    return "\n".join(lines)


def _odd_column(chance: random.Random, text: str) -> str:
    column, value = chance.randrange(8), chance.choice(ODD_CELLS)
    rows = [line.split(",") for line in text.split("\n")]
    for cells in rows[1:]:
        if column < len(cells) > 1:
            cells[column] = value
    return "\n".join(map(",".join, rows))


def _swapped(chance: random.Random, text: str) -> str:
    one, other = chance.randrange(7), chance.randrange(7)
    rows = [line.split(",") for line in text.split("\n")]
    for cells in rows[chance.randrange(2) :]:
        if max(one, other) < len(cells):
            cells[one], cells[other] = cells[other], cells[one]
    return "\n".join(map(",".join, rows))


def _shuffled(chance: random.Random, text: str) -> str:
    header, *rows = text.split("\n")
    chance.shuffle(rows)
    return "\n".join([header, *rows])


def _repeated(chance: random.Random, text: str) -> str:
    lines, number = _cells(chance, text)
    return "\n".join([*lines, *[lines[number]] * chance.randrange(1, 30)])


def _joined(chance: random.Random, text: str) -> str:
    return text + chance.choice(sorted(samples.ALL.values()))


def _separated(chance: random.Random, text: str) -> str:
    return text.replace(",", chance.choice(";\t|: "))


def _cut(chance: random.Random, text: str) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _ended(chance: random.Random, text: str) -> str:
    return text.replace("\n", chance.choice(("\r", "\r\n", "\n\n", "\0\n", "\x85", "\u2028")))


TEXT: tuple[Callable[[random.Random, str], str], ...] = (
    _odd_cell,
    _odd_cell,
    _odd_cell,
    _odd_column,
    _swapped,
    _shuffled,
    _repeated,
    _joined,
    _separated,
    _cut,
    _ended,
)


def _flipped(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body or b"x")
    for _time in range(chance.randrange(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _truncated(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _encoded(chance: random.Random, body: bytes) -> bytes:
    name = chance.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "gb18030", "utf-7")
    )
    return body.decode(errors="replace").encode(name, errors="replace")


def _zipped(chance: random.Random, body: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(chance.randrange(4)):
            name = chance.choice(
                (
                    "a.csv",
                    "B.CSV",
                    "../../c.csv",
                    "(UTC+9).csv",
                    "d.jpg",
                    "e.zip",
                    "xl/f.csv",
                    "g.xlsx",
                    "/",
                )
            )
            archive.writestr(f"{number}/{name}", body)
    return packed.getvalue()


def _gzipped(chance: random.Random, body: bytes) -> bytes:
    return gzip.compress(body)


def _locked(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(_zipped(chance, body))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(mark)
        if at >= 0:
            changed[at + place + chance.choice((0, 2))] |= chance.choice((1, 12, 99))
    return bytes(changed)


def _spread(chance: random.Random, body: bytes) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for line in body.decode(errors="replace").splitlines():
        cells = [ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in line.split(",")[:50]]
        sheet.append(
            [
                float(c) if chance.random() < 0.3 and c.isdecimal() and len(c) < 30 else c
                for c in cells
            ]
        )
    packed = io.BytesIO()
    book.save(packed)
    return _flipped(chance, packed.getvalue()) if chance.random() < 0.3 else packed.getvalue()


def _twice(chance: random.Random, body: bytes) -> bytes:
    return chance.choice(BODY)(chance, chance.choice(BODY)(chance, body))


BODY: tuple[Bytes, ...] = (
    _flipped,
    _truncated,
    _encoded,
    _zipped,
    _gzipped,
    _locked,
    _spread,
    _twice,
)
