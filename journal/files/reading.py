"""A file -> its rows: which export each of its tables is, and each row by that export's reader."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import chain, islice

from journal.faults import Bad, NotAFile
from journal.files import histories, statements, trades
from journal.files.found import Part, Reading
from journal.files.pairs import Pairs
from journal.files.shapes import Shape, by_rows, is_header, shape_of
from journal.files.tables import HEADER_WITHIN, Cells, Limits, Table, tables
from journal.files.zones import zone_told_by

# A row of this few words is no row: "No data matches the criteria."
FEWEST = 2
# Who reads is told how far it is after so many.
TICK_ROWS = 250
Rows = Iterator[tuple[int, Cells]]
Reader = Callable[["trades.Row", Pairs, Reading], None]
READERS: dict[str, Reader] = {
    "spot": trades.read_spot,
    "usdm": trades.read_usdm,
    "statement": statements.read,
    "income": histories.read_income,
    "convert": histories.read_convert,
    "deposits": histories.read_deposit,
    "withdrawals": histories.read_withdrawal,
    "distributions": histories.read_distribution,
}


def read(
    body: bytes,
    name: str,
    pairs: Pairs,
    now: datetime,
    limits: Limits | None = None,
    tick: Callable[[int], None] | None = None,
) -> Reading:
    """Everything that a file holds. `tick` hears how many rows are read. Raises NotAFile, whose
    reason says what it is where that is known but not to be taken."""
    reading = Reading()
    unknown: NotAFile | None = None
    for table in tables(body, name[:200], is_header, limits or Limits()):
        try:
            _read_table(table, name, pairs, now, reading, tick)
        except NotAFile as error:
            if error.fault.code not in {"unknown_table", "orders"}:
                raise
            unknown = error
            reading.leave_out(table.member, 1, error.fault)
            if error.fault.code == "orders":
                reading.parts.append(Part(table.member, "orders"))
    if not reading.parts:
        raise unknown or NotAFile("no_table")
    statements.put_together(reading, pairs)
    if len(reading.parts) > 1:
        trades.drop_repeated(reading)
    trades.finish(reading)
    return reading


def _read_table(
    table: Table,
    name: str,
    pairs: Pairs,
    now: datetime,
    reading: Reading,
    tick: Callable[[int], None] | None,
) -> None:
    header, recognised, rows = _header(table.rows)
    shape, places = recognised
    if shape.kind == "orders":
        raise NotAFile("orders")
    zone = _zone(header, places, table.member, name)
    part = Part(table.member, shape.kind, zone=zone)
    reading.parts.append(part)
    read_row = READERS[shape.kind]
    before = len(reading.fills)
    for line, cells in rows:
        if cells == header or _is_header_again(cells, places["time"]):
            continue  # files that were joined
        if tick is not None and not part.rows % TICK_ROWS:
            tick(part.rows)
        part.rows += 1
        if len([value for value in cells if value]) < FEWEST:
            reading.leave_out(table.member, line, Bad("no_data").fault)
            continue
        try:
            row = trades.Row(table.member, line, cells, places, zone, now)
            read_row(row, pairs, reading)
        except Bad as error:
            reading.leave_out(table.member, line, error.fault)
    if not part.rows:
        reading.leave_out(table.member, 1, Bad("no_data").fault)
    trades.order_rows(reading.fills[before:])


def _header(rows: Rows) -> tuple[Cells, tuple[Shape, dict[str, int]], Rows]:
    """The header, what it says, and the rows below it. Raises NotAFile."""
    head = list(islice(rows, HEADER_WITHIN))
    for number, (_line, cells) in enumerate(head):
        recognised = shape_of(cells)
        if recognised is not None:
            return cells, recognised, chain(head[number + 1 :], rows)
    for (_line, cells), (_next, row) in zip(head, head[1:], strict=False):
        recognised = by_rows(cells, row)
        if recognised is not None:
            number = [cells for _line, cells in head].index(cells)
            return cells, recognised, chain(head[number + 1 :], rows)
    columns = ", ".join(head[0][1]) if head else ""
    raise NotAFile("unknown_table", columns=columns) if columns else NotAFile("no_table")


def _is_header_again(cells: Cells, number: int) -> bool:
    return number < len(cells) and not cells[number][:1].isdigit() and is_header(cells)


def _zone(header: Sequence[str], places: dict[str, int], member: str, name: str) -> tzinfo | None:
    """By the column of the time, then the table's own name, then the upload's."""
    told = zone_told_by(header[places["time"]])
    return told or zone_told_by(member.rsplit("/", 1)[-1]) or zone_told_by(name)
