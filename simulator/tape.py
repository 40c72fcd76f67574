"""The tape: every trade of one symbol, the only source of all streams and answers.

Trades lie in a file of fixed-size records that is written before anything is sent, so a killed
simulator comes back with the same trades under the same ids.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

if TYPE_CHECKING:
    from simulator.klines import Kline

RECORD = struct.Struct("<qqqqB")
# magic, the first id that is kept, the first id of all that were traded live (0: id 1 or no matter)
HEADER = struct.Struct("<8sqq")
MAGIC = b"tltape02"
OLD_HEADER = struct.Struct("<8sq")
OLD_MAGIC = b"tltape01"
# The exchange does not remember everything either: older trades are forgotten.
REMEMBERED = 1_000_000
MINUTE_US = 60_000_000
# Aggregates: one taker order on spot, 100 ms on futures.
SPOT_BATCH_US = 1
USDM_BATCH_US = 100_000
# What a record is (futures' `X`); a hole is an id that no trade has.
KINDS = ("MARKET", "INSURANCE_FUND", "NA", "HOLE")
MARKET, INSURANCE_FUND, NA, HOLE = range(4)
MAKER_BIT = 1


class Row(NamedTuple):
    """A trade before it has an id. `event_time` 0: made up when it is sent; `agg_id` 0: by rule."""

    price: int
    quantity: int
    time: int
    is_buyer_maker: bool
    kind: int = MARKET
    event_time: int = 0
    agg_id: int = 0


class Trade(NamedTuple):
    """`price` and `quantity` in units of 1e-8, `time` in epoch microseconds."""

    id: int
    price: int
    quantity: int
    time: int
    is_buyer_maker: bool
    agg_id: int
    kind: int = MARKET


class AggTrade(NamedTuple):
    """Trades at one price and side of one time (spot) or of 100 ms (futures)."""

    id: int
    price: int
    quantity: int
    first_id: int
    last_id: int
    time: int
    is_buyer_maker: bool


class Sums(Protocol):
    """Candles with trades of a time before a tape began."""

    def sums(self, start_us: int, end_us: int, grain_us: int) -> Iterator["Kline"]: ...

    def warm(self, start_us: int, end_us: int) -> None: ...

    def close_before(self, time_us: int) -> int: ...


class Before(Sums, Protocol):
    """Trades of a time before a tape began, up to `last_id` in aggregates up to `last_agg`."""

    last_id: int
    last_agg: int

    def at(self, trade_id: int) -> Trade: ...

    def between(self, first_id: int, last_id: int) -> Iterator[Trade]: ...

    def aggregates(self, first_agg: int, last_agg: int) -> Iterator[AggTrade]: ...

    def first_at_or_after(self, time_us: int) -> int: ...

    def agg_of(self, trade_id: int) -> int: ...

    def first_of_agg(self, agg_id: int) -> int: ...


class MinuteSums(Protocol):
    """Candles of a tape's minutes, of forgotten trades too."""

    def between(self, start_us: int, end_us: int) -> Iterator["Kline"]: ...

    def close_before(self, time_us: int) -> int: ...

    def keep(self) -> None: ...

    def clear(self) -> None: ...


class Tape:
    """`append` gives ids; readers ask by id or time. Without a path nothing is kept on disk.

    `begins` is the id of the first trade that was ever appended, where there is something `before`.
    """

    def __init__(
        self, symbol: str, path: Path | None = None, first_id: int = 1, batch_us: int = 1
    ) -> None:
        self.symbol = symbol
        self.first_id = first_id
        self.begins = 0
        self.before: Before | None = None
        # candles from before it began (of `before`, or of a past whose ids do not fit), and its own
        self.sums_before: Sums | None = None
        self.minutes: MinuteSums | None = None
        self._batch_us = batch_us
        self._path = path
        self._records = bytearray()
        self._file: BinaryIO | None = None
        # the newest aggregate was told: it does not grow any more
        self._is_sealed = False
        self.last_market: Trade | None = None
        if path is not None:
            self._open(path)

    def __len__(self) -> int:
        return len(self._records) // RECORD.size

    @property
    def last_id(self) -> int:
        """The newest id; `first_id - 1` for an empty tape."""
        return self.first_id + len(self) - 1

    @property
    def oldest_id(self) -> int:
        """The oldest id that anybody may ask for."""
        return self.first_id if self.before is None else 1

    def knows(self, trade_id: int) -> bool:
        """Whether `at` can tell of it: what lies between the past and the tape may be forgotten."""
        return self.first_id <= trade_id <= self.last_id or (
            trade_id > 0 and self._is_before(trade_id)
        )

    def begin_after(self, before: Before) -> None:
        """An empty tape goes on where another one ended."""
        self.before = self.sums_before = before
        self.first_id = self.begins = before.last_id + 1
        self._rewrite()

    @property
    def last(self) -> Trade | None:
        return self.at(self.last_id) if len(self) else None

    def at(self, trade_id: int) -> Trade:
        if self._is_before(trade_id):
            return self._past.at(trade_id)
        if trade_id < self.first_id:
            raise IndexError(f"trade {trade_id} is forgotten")
        offset = (trade_id - self.first_id) * RECORD.size
        price, quantity, time, agg_id, flags = RECORD.unpack_from(self._records, offset)
        return Trade(trade_id, price, quantity, time, bool(flags & 1), agg_id, flags >> 1)

    def between(self, first_id: int, last_id: int) -> Iterator[Trade]:
        """Trades first_id..last_id, as far as they are remembered; holes are passed over."""
        if self._is_before(first_id):
            yield from self._past.between(first_id, last_id)
        first, last = max(first_id, self.first_id), min(last_id, self.last_id)
        start, end = (first - self.first_id) * RECORD.size, (last + 1 - self.first_id) * RECORD.size
        records = bytes(self._records[start:end]) if first <= last else b""
        for trade_id, (price, quantity, time, agg_id, flags) in enumerate(
            RECORD.iter_unpack(records), first
        ):
            if flags >> 1 != HOLE:
                yield Trade(trade_id, price, quantity, time, bool(flags & 1), agg_id, flags >> 1)

    def first_at_or_after(self, time_us: int) -> int:
        """Id of the first trade at or after a time; `last_id + 1` when there is none."""
        if self.before is not None:
            first = self.before.first_at_or_after(time_us)
            if self._is_before(first):
                return first
        ids = range(self.first_id, self.last_id + 1)
        return self.first_id + bisect_left(ids, time_us, key=lambda id: self.at(id).time)

    def first_of_agg(self, agg_id: int) -> int:
        """Id of the first trade of an aggregate or of a later one."""
        if self.before is not None and agg_id <= self.before.last_agg:
            return self.before.first_of_agg(max(1, agg_id))
        ids = range(self.first_id, self.last_id + 1)
        return self.first_id + bisect_left(ids, agg_id, key=lambda id: self.at(id).agg_id)

    def append(self, rows: Sequence[Row]) -> list[Trade]:
        """Gives the rows their ids and aggregates, and keeps them."""
        made: list[Trade] = []
        last = self.last
        trade_id = self.last_id
        agg_id = last.agg_id if last else self._agg_before
        packed = bytearray()
        for row in rows:
            trade_id += 1
            if row.agg_id:
                agg_id = row.agg_id
            elif row.kind == MARKET and (
                last is None or self._is_sealed or not self._is_same_batch(last, row)
            ):
                agg_id += 1
                self._is_sealed = False
            last = Trade(
                trade_id, row.price, row.quantity, row.time, row.is_buyer_maker, agg_id, row.kind
            )
            made.append(last)
            if row.kind == MARKET:
                self.last_market = last
            packed += RECORD.pack(
                row.price, row.quantity, row.time, agg_id, row.is_buyer_maker | row.kind << 1
            )
        if self._file is not None:
            self._file.write(packed)  # unbuffered: it survives a kill of this process
        self._records += packed
        if len(self) > 2 * REMEMBERED:
            self.forget(self._from_a_minute(REMEMBERED))
        return made

    def skip(self, count: int, agg_id: int = 0) -> None:
        """Use up ids that no trade will ever have (or that `agg_id` covers without a record)."""
        last = self.last
        if last is None:
            self.first_id += count
        else:
            self.append([Row(last.price, 0, last.time, False, HOLE, 0, agg_id)] * count)

    def seal(self) -> None:
        """The newest aggregate is whole: a later trade of the same price begins another one."""
        self._is_sealed = True

    def whole_aggregate(self, last_id: int) -> int:
        """The newest aggregate of which nothing lies behind trade `last_id` or is still to come."""
        if last_id < self.first_id:
            return self._whole_before(last_id) if self._is_before(last_id) else 0
        agg_id = self.at(last_id).agg_id
        if last_id < self.last_id:
            return agg_id - (self.at(last_id + 1).agg_id == agg_id)
        return agg_id - (not self._is_sealed)

    def _from_a_minute(self, most: int) -> int:
        """At most so many trades that begin with a minute: its candle is of all its trades or of
        none."""
        oldest = self.at(self.last_id - most + 1)
        first = self.first_at_or_after((oldest.time // MINUTE_US + 1) * MINUTE_US)
        return self.last_id - first + 1 if self.first_id <= first <= self.last_id else most

    def forget(self, kept: int) -> None:
        """Keep the newest `kept` trades, in memory and on disk."""
        if self.minutes is not None:
            self.minutes.keep()
        extra = max(0, len(self) - max(1, kept))
        del self._records[: extra * RECORD.size]
        self.first_id += extra
        self._rewrite()

    def wipe(self, first_id: int) -> None:
        """Everything is gone and ids begin anew, as on a testnet after its reset."""
        self._records.clear()
        self.first_id = first_id
        self.begins, self.before, self.sums_before = 0, None, None
        self.last_market = None
        if self.minutes is not None:
            self.minutes.clear()
        self._rewrite()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def aggregates(self, first_id: int, last_id: int) -> Iterator[AggTrade]:
        """Aggregates of a stretch of trades; those at its ends may be longer than the stretch."""
        if self.before is not None and first_id <= self.before.last_id:
            before = self.before
            ends = before.agg_of(min(last_id, before.last_id))
            yield from before.aggregates(before.agg_of(max(1, first_id)), ends)
        yield from aggregate(self.between(max(first_id, self.first_id), last_id))

    def agg_of(self, trade_id: int) -> int:
        """The aggregate that holds a trade, 0 where that is not known."""
        if self.before is not None and 0 < trade_id <= self.before.last_id:
            return self.before.agg_of(trade_id)
        return self.at(trade_id).agg_id if self.knows(trade_id) else 0

    @property
    def _agg_before(self) -> int:
        """The last aggregate before the tape's first trade."""
        return self.before.last_agg if self.before is not None else max(0, self.begins - 1)

    def _whole_before(self, trade_id: int) -> int:
        """Of the past, the newest aggregate of which nothing lies behind a trade."""
        agg_id = self._past.agg_of(trade_id)
        return agg_id - (self._past.first_of_agg(agg_id + 1) - 1 > trade_id)

    @property
    def _past(self) -> Before:
        assert self.before is not None
        return self.before

    def _is_before(self, trade_id: int) -> bool:
        return self.before is not None and trade_id <= self.before.last_id

    def _is_same_batch(self, last: Trade, row: Row) -> bool:
        return (
            last.kind == MARKET
            and last.price == row.price
            and last.is_buyer_maker == row.is_buyer_maker
            and last.time // self._batch_us == row.time // self._batch_us
        )

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            content = path.read_bytes().ljust(HEADER.size)
            header = OLD_HEADER if content.startswith(OLD_MAGIC) else HEADER
            magic, self.first_id, *rest = header.unpack_from(content)
            if magic not in {MAGIC, OLD_MAGIC}:
                raise ValueError(f"{path} is no tape of this simulator: remove it")
            self.begins = rest[0] if rest else 0
            whole = (len(content) - header.size) // RECORD.size * RECORD.size
            self._records = bytearray(content[header.size : header.size + whole])
        self.forget(2 * REMEMBERED)
        newest = self.between(self.last_id - 1000, self.last_id)
        self.last_market = max((t for t in newest if t.kind == MARKET), default=None)

    def _rewrite(self) -> None:
        if self._path is None:
            return
        if self._file is not None:
            self._file.close()
        part = self._path.with_suffix(".part")
        part.write_bytes(HEADER.pack(MAGIC, self.first_id, self.begins) + self._records)
        part.rename(self._path)
        self._file = self._path.open("ab", buffering=0)


def aggregate(trades: Iterable[Trade]) -> Iterator[AggTrade]:
    """Trades that are no market trades (insurance fund, ADL) belong to no aggregate."""
    current: AggTrade | None = None
    for trade in trades:
        if trade.kind != MARKET:
            continue
        if current is not None and trade.agg_id == current.id:
            current = current._replace(quantity=current.quantity + trade.quantity, last_id=trade.id)
            continue
        if current is not None:
            yield current
        current = AggTrade(
            trade.agg_id,
            trade.price,
            trade.quantity,
            trade.id,
            trade.id,
            trade.time,
            trade.is_buyer_maker,
        )
    if current is not None:
        yield current
