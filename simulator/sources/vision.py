"""Binance's archives (data.binance.vision): trades, on futures aggregates too, as CSV or zip.

Spot files have no header, newer futures files have one; times are in ms or us. All of that is told
from the content. Source: github binance/binance-public-data.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulator.amounts import to_units
from simulator.book import BookChange
from simulator.listing import USDM, listing_like
from simulator.sources.capture import WIDEST_HOLE, micros
from simulator.sources.events import Hole
from simulator.sources.replay import Timed
from simulator.tape import Row

LOOKED_AT = 5_000


class Line(NamedTuple):
    """A row as written; ids `first`..`last`, `agg_id` 0 in a file of single trades."""

    first: int
    last: int
    agg_id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool


class VisionFile:
    """A Recording. Raises ValueError with a sentence for a file that cannot be used."""

    snapshot: BookChange | None = None
    has_depth = has_best = False
    first_update_id = 1

    def __init__(self, path: Path, market: str, symbol: str) -> None:
        self.path = path
        head = [line for line, _ in zip(lines(path), range(LOOKED_AT), strict=False)]
        if not head:
            raise ValueError(f"{path}: expected rows of trades, found none")
        if head[0].agg_id and market != USDM:
            raise ValueError(f"{path}: expected single trades, found aggregates")
        self.first_id = head[0].first
        self.start_us = self.first_trade_us = head[0].time
        self.rules = listing_like(
            symbol, market, [line.price for line in head], [line.quantity for line in head]
        )

    def events(self) -> Iterator[Timed]:
        expected = self.first_id
        for line in lines(self.path):
            at_us = line.time - self.start_us
            if line.first < expected:
                continue
            if line.first - expected > WIDEST_HOLE:
                raise ValueError(f"{self.path}: expected trade {expected}, was {line.first}")
            if line.first > expected:
                yield Timed(at_us, Hole(line.first - expected))
            price, quantity = to_units(line.price), to_units(line.quantity)
            row = Row(price, quantity, line.time, line.is_buyer_maker, agg_id=line.agg_id)
            yield Timed(at_us, row)
            if line.last > line.first:
                yield Timed(at_us, Hole(line.last - line.first, line.agg_id))
            expected = line.last + 1


def is_archive(path: Path) -> bool:
    return path.suffix in {".csv", ".zip"}


def lines(path: Path) -> Iterator[Line]:
    """Raises ValueError with the line's number for a row that cannot be read."""
    for number, row in enumerate(_rows(path), 1):
        if number == 1 and row and not row[0].isdigit():
            continue  # a header
        try:
            line = _line(row)
            to_units(line.price), to_units(line.quantity)
            yield line
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {number}: expected a row of trades") from error


def _line(row: list[str]) -> Line:
    if row[5].lower() in {"true", "false"}:  # id, price, qty, quoteQty, time, isBuyerMaker, …
        trade_id = int(row[0])
        return Line(trade_id, trade_id, 0, row[1], row[2], micros(int(row[4])), _is_true(row[5]))
    # id, price, qty, firstId, lastId, time, isBuyerMaker, …
    return Line(
        int(row[3]),
        int(row[4]),
        int(row[0]),
        row[1],
        row[2],
        micros(int(row[5])),
        _is_true(row[6]),
    )


def _is_true(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"expected true or false, was {text!r}")
    return text.lower() == "true"


def _rows(path: Path) -> Iterator[list[str]]:
    if path.suffix != ".zip":
        with path.open(newline="") as text:
            yield from csv.reader(text)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            [name] = archive.namelist()
            with archive.open(name) as raw:
                yield from csv.reader(io.TextIOWrapper(raw, newline=""))
    except (zipfile.BadZipFile, ValueError) as error:
        raise ValueError(f"{path}: expected a zip with one CSV file") from error
