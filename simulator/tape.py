"""The tape: every trade of one symbol, the only source of all streams and answers.

Trades lie in a file of fixed-size records that is written before anything is sent, so a killed
simulator comes back with the same trades under the same ids.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

RECORD = struct.Struct("<qqqqB")
HEADER = struct.Struct("<8sq")
MAGIC = b"tltape01"
# The exchange does not remember everything either: older trades are forgotten.
REMEMBERED = 1_000_000


class Trade(NamedTuple):
    """`price` and `quantity` in units of 1e-8, `time` in epoch microseconds."""

    id: int
    price: int
    quantity: int
    time: int
    is_buyer_maker: bool
    agg_id: int


class AggTrade(NamedTuple):
    """Trades of one taker order at one price: same time, side and price, ids in a row."""

    id: int
    price: int
    quantity: int
    first_id: int
    last_id: int
    time: int
    is_buyer_maker: bool


class Tape:
    """`append` gives ids; readers ask by id or time. Without a path nothing is kept on disk."""

    def __init__(self, symbol: str, path: Path | None = None, first_id: int = 1) -> None:
        self.symbol = symbol
        self.first_id = first_id
        self._path = path
        self._records = bytearray()
        self._file: BinaryIO | None = None
        if path is not None:
            self._open(path)

    def __len__(self) -> int:
        return len(self._records) // RECORD.size

    @property
    def last_id(self) -> int:
        """The newest id; `first_id - 1` for an empty tape."""
        return self.first_id + len(self) - 1

    @property
    def last(self) -> Trade | None:
        return self.at(self.last_id) if len(self) else None

    def at(self, trade_id: int) -> Trade:
        offset = (trade_id - self.first_id) * RECORD.size
        price, quantity, time, agg_id, flags = RECORD.unpack_from(self._records, offset)
        return Trade(trade_id, price, quantity, time, bool(flags), agg_id)

    def between(self, first_id: int, last_id: int) -> Iterator[Trade]:
        """Trades first_id..last_id, as far as they are remembered."""
        for trade_id in range(max(first_id, self.first_id), min(last_id, self.last_id) + 1):
            yield self.at(trade_id)

    def first_at_or_after(self, time_us: int) -> int:
        """Id of the first trade at or after a time; `last_id + 1` when there is none."""
        ids = range(self.first_id, self.last_id + 1)
        return self.first_id + bisect_left(ids, time_us, key=lambda id: self.at(id).time)

    def first_of_agg(self, agg_id: int) -> int:
        """Id of the first trade of an aggregate or of a later one."""
        ids = range(self.first_id, self.last_id + 1)
        return self.first_id + bisect_left(ids, agg_id, key=lambda id: self.at(id).agg_id)

    def append(self, rows: Sequence[tuple[int, int, int, bool]]) -> list[Trade]:
        """Rows of (price, quantity, time, is_buyer_maker); returns them with their ids."""
        made: list[Trade] = []
        last = self.last
        agg_id = last.agg_id if last else 0
        packed = bytearray()
        for price, quantity, time, maker in rows:
            if last is None or (last.time, last.is_buyer_maker, last.price) != (time, maker, price):
                agg_id += 1
            trade_id = (made[-1].id if made else self.last_id) + 1
            last = Trade(trade_id, price, quantity, time, maker, agg_id)
            made.append(last)
            packed += RECORD.pack(price, quantity, time, agg_id, maker)
        if self._file is not None:
            self._file.write(packed)  # unbuffered: it survives a kill of this process
        self._records += packed
        if len(self) > 2 * REMEMBERED:
            self._forget()
        return made

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def aggregates(self, first_id: int, last_id: int) -> Iterator[AggTrade]:
        """Aggregates of a stretch of trades; those at its ends may be longer than the stretch."""
        return aggregate(self.between(first_id, last_id))

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            content = path.read_bytes()
            magic, self.first_id = HEADER.unpack_from(content)
            if magic != MAGIC:
                raise ValueError(f"{path} is no tape of this simulator: remove it")
            whole = (len(content) - HEADER.size) // RECORD.size * RECORD.size
            self._records = bytearray(content[HEADER.size : HEADER.size + whole])
        self._forget()

    def _forget(self) -> None:
        """Keep the newest trades, in memory and on disk."""
        extra = max(0, len(self) - REMEMBERED)
        del self._records[: extra * RECORD.size]
        self.first_id += extra
        if self._path is None:
            return
        if self._file is not None:
            self._file.close()
        part = self._path.with_suffix(".part")
        part.write_bytes(HEADER.pack(MAGIC, self.first_id) + self._records)
        part.rename(self._path)
        self._file = self._path.open("ab", buffering=0)


def aggregate(trades: Iterable[Trade]) -> Iterator[AggTrade]:
    current: AggTrade | None = None
    for trade in trades:
        if current is not None and trade.agg_id == current.id:
            current = current._replace(quantity=current.quantity + trade.quantity, last_id=trade.id)
            continue
        if current is not None:
            yield current
        current = AggTrade(
            trade.agg_id, trade.price, trade.quantity, trade.id, trade.id, trade.time,
            trade.is_buyer_maker,
        )  # fmt: skip
    if current is not None:
        yield current
