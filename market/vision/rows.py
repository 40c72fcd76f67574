"""Rows of one archive file: streamed, told apart by their content, and checked one by one.

Spot files have no header, newer futures files have one; times are in ms or us; booleans are spelled
`True` or `true`. Source: github binance/binance-public-data. A file that cannot be believed is
refused with its name and the line.
"""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl

from market.vision.kinds import Damaged, Kind, NoRows

CHUNK_BYTES = 24 * 1024 * 1024
LONGEST_LINE = 4096
# Money is read as text and only then as a number, so that no ninth place is rounded away unseen.
MONEY = pl.Decimal(38, 8)
NUMBER, PLAIN_NUMBER = r"^[0-9]+(\.[0-9]{1,8}0*)?$", r"^[0-9]+(\.[0-9]+)?$"
HEADS: dict[Kind, list[str]] = {
    "trades": ["id", "price", "quantity", "quote", "time", "maker", "best"],
    "aggTrades": ["agg_id", "price", "quantity", "id", "last_id", "time", "maker", "best"],
}
# The newer futures files leave the last column out; any other number is another layout.
COLUMNS: dict[Kind, tuple[int, int]] = {"trades": (6, 7), "aggTrades": (7, 8)}
TYPES: dict[str, Any] = {
    "price": pl.String,
    "quantity": pl.String,
    "quote": pl.String,
    "maker": pl.Boolean,
    "best": pl.String,
}
HEADER_WORDS = {"id", "trade_id", "agg_trade_id"}
# Epoch times of 2009 to 2100: 13 digits are ms, 16 are us.
MS, US = (1_230_000_000_000, 4_102_444_800_000), (1_230_000_000_000_000, 4_102_444_800_000_000)


# What the standard library raises for a zip that is damaged, encrypted or packed in another way.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)


@dataclass(frozen=True)
class Head:
    """What a file's first lines tell: its kind, how many columns, header or not, ticks a second."""

    kind: Kind
    columns: int
    has_header: bool
    ticks: int


def read_head(path: Path) -> Head:
    """Raises Damaged, NoRows."""
    with _opened(path) as raw:
        text = raw.readline(LONGEST_LINE).decode("utf-8", "replace").strip()
        has_header = text.split(",")[0].lower() in HEADER_WORDS
        if has_header:
            text = raw.readline(LONGEST_LINE).decode("utf-8", "replace").strip()
    words = text.split(",")
    line = 2 if has_header else 1
    if words == [""]:
        raise NoRows(path.name, has_header=has_header)
    if "\r" in text:
        raise Damaged(f"{path.name}: expected lines that end with LF or CRLF, they end with CR")
    kind: Kind
    if len(words) > 5 and words[5].lower() in {"true", "false"}:
        kind, time = "trades", words[4]
    elif len(words) > 6 and words[6].lower() in {"true", "false"}:
        kind, time = "aggTrades", words[5]
    else:
        raise Damaged(f"{path.name}, line {line}: expected a row of trades, was {text[:80]!r}")
    if len(words) not in COLUMNS[kind]:
        known = " or ".join(map(str, COLUMNS[kind]))
        raise Damaged(f"{path.name}, line {line}: expected {known} columns, were {len(words)}")
    if not time.isdigit() or not any(low <= int(time) < high for low, high in (MS, US)):
        raise Damaged(f"{path.name}, line {line}: expected a time in ms or us, was {time[:40]!r}")
    ticks = 1_000_000 if int(time) >= US[0] else 1000
    return Head(kind, len(words), has_header, ticks)


def read_rows(
    path: Path, head: Head, *, by_aggregate: bool = False
) -> Iterator[tuple[pl.DataFrame, int]]:
    """(rows, bytes of text) in chunks; columns `id`, `last_id`, `price` and `quantity` as integers
    scaled by 1e-8, `time` in the file's ticks, `maker`.

    Ids grow from row to row; `by_aggregate` takes the aggregate's own id for both. Raises Damaged.
    """
    line, last_id = 2 if head.has_header else 1, -1
    with ThreadPoolExecutor(1) as ahead:  # unpacking and reading go side by side
        chunks = _chunks(path, head.has_header)
        waiting = ahead.submit(next, chunks, None)
        while (chunk := waiting.result()) is not None:
            text, size = chunk
            waiting = ahead.submit(next, chunks, None)
            rows = _parse(path, text, head, line, by_aggregate=by_aggregate)
            _check(path, rows, head, line, last_id)
            line, last_id = line + rows.height, rows["last_id"][-1]
            yield rows, size


def size_of(path: Path) -> int:
    """Bytes of text."""
    if path.suffix != ".zip":
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist())


def _chunks(path: Path, has_header: bool) -> Iterator[tuple[bytes, int]]:
    rest = b""
    with _opened(path) as raw:
        if has_header:
            raw.readline()
        while True:
            data = raw.read(CHUNK_BYTES)
            if not data:
                break
            end = data.rfind(b"\n") + 1
            if not end and len(rest) + len(data) > LONGEST_LINE:
                raise Damaged(f"{path.name}: expected lines of trades, found none")
            if not end:
                rest += data
                continue
            yield rest + data[:end], len(data)
            rest = data[end:]
    if rest.strip():
        yield rest, len(rest)


class _Member:
    """The one CSV inside a zip, or a plain CSV, as one context."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> IO[bytes]:
        self._zip: zipfile.ZipFile | None = None
        if self.path.suffix != ".zip":
            self._raw: IO[bytes] = self.path.open("rb")
            return self._raw
        try:
            self._zip = zipfile.ZipFile(self.path)
            [name] = self._zip.namelist()
            self._raw = self._zip.open(name)
        except (ValueError, *ZIP_ERRORS) as error:
            if self._zip is not None:
                self._zip.close()
            raise Damaged(
                f"{self.path.name}: expected a zip with one CSV file that can be read, was: {error}"
            ) from error
        return self._raw

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._raw.close()
        if self._zip is not None:
            self._zip.close()
        if isinstance(error, ZIP_ERRORS):
            raise Damaged(f"{self.path.name}: expected a whole zip, was: {error}") from error


def _opened(path: Path) -> _Member:
    return _Member(path)


def _parse(path: Path, text: bytes, head: Head, line: int, *, by_aggregate: bool) -> pl.DataFrame:
    names = HEADS[head.kind][: head.columns]
    types: dict[str, Any] = {name: TYPES.get(name, pl.Int64) for name in names}
    try:
        rows = pl.read_csv(io.BytesIO(text), has_header=False, schema=types, quote_char=None)
    except pl.exceptions.PolarsError as error:
        raise _first_bad_line(path, text, head, line) from error
    if not rows.height or any(rows.null_count().row(0)):
        raise _first_bad_line(path, text, head, line)
    if by_aggregate:
        rows = rows.with_columns(pl.col("agg_id").alias("id"), pl.col("agg_id").alias("last_id"))
    elif head.kind == "trades":
        rows = rows.with_columns(pl.col("id").alias("last_id"))
    rows = rows.select("id", "last_id", "price", "quantity", "time", "maker")
    return _in_units(path, rows, line)


def _in_units(path: Path, rows: pl.DataFrame, line: int) -> pl.DataFrame:
    """`price` and `quantity` as integers scaled by 1e-8, exactly. Raises Damaged."""
    is_wrong = ~(pl.col("price").str.contains(NUMBER) & pl.col("quantity").str.contains(NUMBER))
    index = rows.select(is_wrong.arg_true().first()).item()
    if index is not None:
        price, quantity = rows.row(index, named=True)["price"], rows[index, "quantity"]
        what = "price and quantity as plain numbers"
        if price.startswith("-") or quantity.startswith("-"):
            what = "price and quantity above 0"
        elif re.match(PLAIN_NUMBER, price) and re.match(PLAIN_NUMBER, quantity):
            what = "at most 8 decimal places"
        raise Damaged(_sentence(path, rows, index, line, what))
    money = [pl.col(name).cast(MONEY, strict=False) for name in ("price", "quantity")]
    numbers = rows.with_columns(money)
    if any(numbers.null_count().row(0)):
        is_long = pl.col("price").is_null() | pl.col("quantity").is_null()
        index = numbers.select(is_long.arg_true().first()).item()
        raise Damaged(_sentence(path, rows, index, line, "numbers below 10 to the 30"))
    return numbers.with_columns(pl.col("price", "quantity").to_physical())


def _check(path: Path, rows: pl.DataFrame, head: Head, line: int, last_id: int) -> None:
    """Every row makes sense alone and behind the one before it."""
    low, high = US if head.ticks == 1_000_000 else MS
    faults = {
        "ids that grow": pl.col("id") <= pl.col("last_id").shift(1, fill_value=last_id),
        "a last id behind the first": pl.col("last_id") < pl.col("id"),
        "a time in the file's own unit": (pl.col("time") < low) | (pl.col("time") >= high),
    }
    if head.kind == "trades":  # an aggregate of nothing may be there, and is counted
        faults["price and quantity above 0"] = (pl.col("price") == 0) | (pl.col("quantity") == 0)
    faults_at = rows.select(**{what: wrong.arg_true().first() for what, wrong in faults.items()})
    for what, index in faults_at.row(0, named=True).items():
        if index is not None:
            raise Damaged(_sentence(path, rows, index, line, what))


def _sentence(path: Path, rows: pl.DataFrame, index: int, line: int, what: str) -> str:
    row = rows.row(index, named=True)
    shown = ", ".join(
        f"{name} {str(row[name])[:40]}" for name in ("id", "price", "quantity", "time")
    )
    return f"{path.name}, line {line + index}: expected {what}, was {shown}"


def _first_bad_line(path: Path, text: bytes, head: Head, line: int) -> Damaged:
    """Read the chunk again, slowly, to say where."""
    names = HEADS[head.kind]
    for offset, raw in enumerate(text.removesuffix(b"\n").split(b"\n")):
        row = raw.removesuffix(b"\r").decode("utf-8", "replace")
        words = row.split(",")
        is_right = len(words) == head.columns
        for name, word in zip(names, words, strict=False):
            if name in {"price", "quantity"}:
                is_right &= bool(re.match(PLAIN_NUMBER, word))
            elif name == "maker":
                is_right &= word.lower() in {"true", "false"}
            elif name not in {"quote", "best"}:
                is_right &= word.isdigit() and len(word) < 19
        if not is_right:
            shown = row[:80]
            return Damaged(
                f"{path.name}, line {line + offset}: expected a row of trades: {shown!r}"
            )
    return Damaged(f"{path.name}, line {line} and following: expected rows of trades")
