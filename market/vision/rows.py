"""Rows of one archive file: streamed, told apart by their content, and checked one by one.

Spot files have no header, newer futures files have one; times are in ms or us; booleans are spelled
`True` or `true`. Source: github binance/binance-public-data. A file that cannot be believed is
refused with its name and the line.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import polars as pl

Kind = Literal["trades", "aggTrades"]

CHUNK_BYTES = 24 * 1024 * 1024
LONGEST_LINE = 4096
# More places than Binance ever writes, so that a ninth one is seen and refused, not rounded away.
READ_PLACES = 12
MONEY = pl.Decimal(38, READ_PLACES)
HEADS: dict[Kind, list[str]] = {
    "trades": ["id", "price", "quantity", "quote", "time", "maker", "best"],
    "aggTrades": ["agg_id", "price", "quantity", "id", "last_id", "time", "maker", "best"],
}
TYPES: dict[str, Any] = {"price": MONEY, "quantity": MONEY, "quote": pl.String, "maker": pl.Boolean}
HEADER_WORDS = {"id", "trade_id", "agg_trade_id"}
# Epoch times of 2009 to 2100: 13 digits are ms, 16 are us.
MS, US = (1_230_000_000_000, 4_102_444_800_000), (1_230_000_000_000_000, 4_102_444_800_000_000)


class Damaged(ValueError):
    """A file that cannot be used; the sentence names it, and the line where there is one."""


@dataclass(frozen=True)
class Head:
    """What a file's first lines tell: its kind, how many columns, header or not, ticks a second."""

    kind: Kind
    columns: int
    has_header: bool
    ticks: int


def read_head(path: Path) -> Head:
    """Raises Damaged."""
    with _opened(path) as raw:
        text = raw.readline(4096).decode("utf-8", "replace").strip()
        has_header = text.split(",")[0].lower() in HEADER_WORDS
        if has_header:
            text = raw.readline(4096).decode("utf-8", "replace").strip()
    words = text.split(",")
    line = 2 if has_header else 1
    if words == [""]:
        raise Damaged(f"{path.name}: expected rows of trades, found none")
    kind: Kind
    if len(words) > 5 and words[5].lower() in {"true", "false"}:
        kind, time = "trades", words[4]
    elif len(words) > 6 and words[6].lower() in {"true", "false"}:
        kind, time = "aggTrades", words[5]
    else:
        raise Damaged(f"{path.name}, line {line}: expected a row of trades, was {text[:80]!r}")
    if not time.isdigit() or not any(low <= int(time) < high for low, high in (MS, US)):
        raise Damaged(f"{path.name}, line {line}: expected a time in ms or us, was {time!r}")
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
        while (found := waiting.result()) is not None:
            text, size = found
            waiting = ahead.submit(next, chunks, None)
            rows = _parse(path, text, head, line, by_aggregate=by_aggregate)
            _check(path, rows, head, line, last_id)
            line, last_id = line + rows.height, rows["last_id"][-1]
            yield _in_units(rows), size


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
        except (zipfile.BadZipFile, ValueError, EOFError) as error:
            if self._zip is not None:
                self._zip.close()
            raise Damaged(f"{self.path.name}: expected a zip with one CSV file") from error
        return self._raw

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._raw.close()
        if self._zip is not None:
            self._zip.close()
        if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError):
            raise Damaged(f"{self.path.name}: expected a whole zip, was: {error}") from error


def _opened(path: Path) -> _Member:
    return _Member(path)


def _parse(path: Path, text: bytes, head: Head, line: int, *, by_aggregate: bool) -> pl.DataFrame:
    names = HEADS[head.kind][: head.columns]
    names += [f"unknown_{n}" for n in range(head.columns - len(names))]
    types: dict[str, Any] = {name: TYPES.get(name, pl.Int64) for name in names}
    types |= {name: pl.String for name in names if name == "best" or name.startswith("unknown")}
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
    return rows.select("id", "last_id", "price", "quantity", "time", "maker")


def _check(path: Path, rows: pl.DataFrame, head: Head, line: int, last_id: int) -> None:
    """Every row makes sense alone and behind the one before it; money becomes scaled integers."""
    unit = 10 ** (READ_PLACES - 8)
    scaled = {name: pl.col(name).to_physical() for name in ("price", "quantity")}
    low, high = US if head.ticks == 1_000_000 else MS
    faults = {
        "ids that grow": pl.col("id") <= pl.col("last_id").shift(1, fill_value=last_id),
        "a last id behind the first": pl.col("last_id") < pl.col("id"),
        "at most 8 decimal places": (scaled["price"] % unit + scaled["quantity"] % unit) != 0,
        "price and quantity above 0": (scaled["price"] < 0) | (scaled["quantity"] < 0),
        "a time in the file's own unit": (pl.col("time") < low) | (pl.col("time") >= high),
    }
    if head.kind == "trades":
        zero = (scaled["price"] == 0) | (scaled["quantity"] == 0)
        faults["price and quantity above 0"] = faults["price and quantity above 0"] | zero
    found = rows.select(**{what: wrong.arg_true().first() for what, wrong in faults.items()})
    for what, index in found.row(0, named=True).items():
        if index is not None:
            row = rows.row(index, named=True)
            shown = ", ".join(f"{name} {row[name]}" for name in ("id", "price", "quantity", "time"))
            raise Damaged(f"{path.name}, line {line + index}: expected {what}, was {shown}")


def _in_units(rows: pl.DataFrame) -> pl.DataFrame:
    """Checked rows with `price` and `quantity` as integers scaled by 1e-8."""
    unit = pl.lit(10 ** (READ_PLACES - 8), dtype=pl.Int128)
    return rows.with_columns(
        (pl.col(name).to_physical() // unit).alias(name) for name in ("price", "quantity")
    )


def _first_bad_line(path: Path, text: bytes, head: Head, line: int) -> Damaged:
    """Read the chunk again, slowly, to say where."""
    kinds = HEADS[head.kind]
    for offset, words in enumerate(csv.reader(io.TextIOWrapper(io.BytesIO(text), "utf-8"))):
        is_right = len(words) == head.columns
        for name, word in zip(kinds, words, strict=False):
            if name in {"price", "quantity"}:
                is_right &= word.replace(".", "", 1).isdigit()
            elif name == "maker":
                is_right &= word.lower() in {"true", "false"}
            elif name not in {"quote", "best"}:
                is_right &= word.isdigit() and len(word) < 19
        if not is_right:
            row = ",".join(words)[:80]
            return Damaged(f"{path.name}, line {line + offset}: expected a row of trades: {row!r}")
    return Damaged(f"{path.name}, line {line} and following: expected rows of trades")
