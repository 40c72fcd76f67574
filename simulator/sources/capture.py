"""A capture: `<local time> <combined frame>` a line, gzip or plain, as it came off the wire."""

import gzip
import json
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from simulator.amounts import to_units
from simulator.book import BookChange, Levels
from simulator.listing import USDM, listing_like
from simulator.sources.events import Best, Event, Hole, Mark
from simulator.sources.replay import Timed
from simulator.tape import KINDS, NA, Row

# Enough lines to find the first trade, the snapshot and which streams there are.
LOOKED_AT = 20_000
# A hole this wide is no hole but another tape.
WIDEST_HOLE = 1_000_000


class Frame(NamedTuple):
    """One line: `stream` is empty for the body of a REST answer."""

    at_us: int
    stream: str
    payload: dict[str, Any]
    line: int


class Capture:
    """One symbol's frames of a file (a Recording).

    Raises ValueError with a sentence when the file holds no trades of the symbol.
    """

    def __init__(self, path: Path, market: str, symbol: str) -> None:
        self.path = path
        self._head = f"{symbol.lower()}@"
        frames = list(islice(read(path), LOOKED_AT))
        own = [frame for frame in frames if frame.stream.startswith(self._head)]
        self._is_alone = (
            len({frame.stream.partition("@")[0] for frame in frames if frame.stream}) == 1
        )
        self._trades = "trade"
        own = [
            frame for frame in own if {"p", "q", "T"} <= set(frame.payload) or "u" in frame.payload
        ]
        trades = [frame for frame in own if frame.stream.endswith("@trade")]
        if not trades and market == USDM:
            self._trades = "aggTrade"
            trades = [frame for frame in own if frame.stream.endswith("@aggTrade")]
        if not trades:
            kinds = sorted({frame.stream for frame in own}) or "none of its streams"
            raise ValueError(f"{path}: expected @trade frames of {symbol}, found {kinds}")
        first = trades[0].payload
        self.first_id = int(first["t"] if self._trades == "trade" else first["f"])
        self.first_trade_us = micros(first["T"])
        self._local_us = own[0].at_us
        timed = next(frame for frame in own if "E" in frame.payload)
        self.start_us = micros(timed.payload["E"]) - (timed.at_us - self._local_us)
        self.has_depth = any("@depth" in frame.stream for frame in own)
        changes = (f.payload["U"] for f in own if f.payload.get("e") == "depthUpdate")
        self.first_update_id = next(changes, 1)
        self.has_best = any(frame.stream.endswith("@bookTicker") for frame in own)
        self.snapshot: BookChange | None = self._snapshot(frames)
        levels = self.snapshot_texts(frames)
        self.rules = listing_like(
            symbol,
            market,
            [frame.payload["p"] for frame in trades] + [price for price, _ in levels],
            [frame.payload["q"] for frame in trades] + [size for _, size in levels],
        )

    def snapshot_texts(self, frames: list[Frame]) -> list[list[str]]:
        body = self._snapshot_body(frames)
        return [*body["bids"], *body["asks"]] if body else []

    def events(self) -> Iterator[Timed]:
        expected = self.first_id
        for frame in read(self.path):
            if not frame.stream.startswith(self._head):
                continue
            try:
                events, expected = self._read(frame, expected)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                place = f"{self.path}, line {frame.line}"
                raise ValueError(f"{place}: expected a frame of {frame.stream}") from error
            for event in events:
                yield Timed(frame.at_us - self._local_us, event)

    def _read(self, frame: Frame, expected: int) -> tuple[list[Event], int]:
        """A frame's events, and the trade id that follows."""
        kind, payload = frame.stream.partition("@")[2], frame.payload
        if kind != self._trades:
            other = _other(kind, payload)
            return [other] if other else [], expected
        first, last = ("t", "t") if kind == "trade" else ("f", "l")
        trade_id = int(payload[first])
        if trade_id < expected:
            return [], expected  # recorded twice
        if trade_id - expected > WIDEST_HOLE:
            raise ValueError(f"expected trade {expected}, was {trade_id}")
        hole: list[Event] = [Hole(trade_id - expected)] if trade_id > expected else []
        return [*hole, *_trades(kind, payload)], int(payload[last]) + 1

    def _snapshot_body(self, frames: list[Frame]) -> dict[str, Any] | None:
        """A REST body has no symbol: it is taken where the file has only one."""
        bodies = (f.payload for f in frames if not f.stream and "lastUpdateId" in f.payload)
        return next(bodies, None) if self._is_alone and self.has_depth else None

    def _snapshot(self, frames: list[Frame]) -> BookChange | None:
        body = self._snapshot_body(frames)
        if body is None:
            return None
        update_id = body["lastUpdateId"]
        return BookChange(update_id, update_id, levels(body["bids"]), levels(body["asks"]))


def read(path: Path) -> Iterator[Frame]:
    """Frames and REST bodies in file order; a line that begins with a word (a note) is passed over.

    Raises ValueError with the line's number for a line that cannot be read.
    """
    first: int | None = None
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for number, line in enumerate(lines, 1):
            stamp, _, body = line.partition(" ")
            if not stamp[:1].isdigit():
                if number == 1 or stamp[:1].isalpha():
                    continue
                raise ValueError(f"{path}, line {number}: expected `<time> <frame>`")
            try:
                frame = json.loads(body)
                local = _local_time(stamp.rstrip(":"))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: expected `<time> <frame>`") from error
            if not isinstance(frame, dict):
                continue
            first = local if first is None else first
            at_us = max(0, local - first)
            if "stream" in frame:
                yield Frame(at_us, str(frame["stream"]), frame.get("data") or {}, number)
            else:
                yield Frame(at_us, "", frame, number)


def micros(moment: int) -> int:
    """Exchange times are in ms or us: us."""
    return int(moment) if int(moment) >= 10**14 else int(moment) * 1000


def levels(rows: list[list[str]]) -> Levels:
    return {to_units(price): to_units(size) for price, size, *_ in rows}


def _local_time(stamp: str) -> int:
    """The recorder's clock in ns, us, ms or s (with a fraction) -> us."""
    if "." in stamp:
        return int(float(stamp) * 1_000_000)
    value = int(stamp)
    for digits, factor in ((18, 1000), (15, 1)):
        if len(stamp) > digits:
            return value // factor
    return value * 1000 if len(stamp) > 12 else value * 1_000_000


def _trades(kind: str, payload: dict[str, Any]) -> Iterator[Event]:
    row = Row(
        to_units(payload["p"]),
        to_units(payload["q"]),
        micros(payload["T"]),
        bool(payload["m"]),
        event_time=micros(payload["E"]),
    )
    if kind == "aggTrade":  # its single trades are not known: their ids stand behind the sum
        agg_id, more = int(payload["a"]), int(payload["l"]) - int(payload["f"])
        return chain([row._replace(agg_id=agg_id)], [Hole(more, agg_id)] if more else [])
    name = payload.get("X", "MARKET")
    return iter([row._replace(kind=KINDS.index(name) if name in KINDS else NA)])


def _other(kind: str, payload: dict[str, Any]) -> Event | None:
    if kind == "bookTicker":
        bid, bid_size, ask, ask_size = (to_units(payload[key]) for key in "bBaA")
        event_time = micros(payload["E"]) if "E" in payload else 0
        return Best(payload["u"], bid, bid_size, ask, ask_size, event_time)
    if kind.startswith("depth") and payload.get("e") == "depthUpdate":
        return BookChange(
            payload["U"],
            payload["u"],
            levels(payload["b"]),
            levels(payload["a"]),
            micros(payload["E"]),
            micros(payload["T"]) if "T" in payload else 0,
            payload.get("pu", payload["U"] - 1),
        )
    if kind.startswith("markPrice"):
        price, index, settle = (to_units(payload.get(key, payload["p"])) for key in "piP")
        return Mark(price, index, settle, _signed(payload["r"]), micros(payload["T"]))
    return None


def _signed(text: str) -> int:
    return -to_units(text[1:]) if text.startswith("-") else to_units(text)
