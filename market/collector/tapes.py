"""What a collector works on and what it talks to."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from market.binance.rest import PublicRest
from market.binance.routes import Streams, streams_of
from market.binance.stream import Times
from market.collector.board import Board
from market.collector.rebuild import Place
from market.collector.writer import TapeWriter
from market.flow.klines import Kline
from market.flow.trades import Trade
from market.hot.store import HotStore
from market.instruments import Followed, InstrumentKey


@dataclass
class Tape:
    """One followed instrument at work."""

    followed: Followed
    writer: TapeWriter
    place: Place
    board: Board
    # the first missing id, and since when it is missed
    hole_at: int = -1
    hole_since: float = 0.0
    # the cursor as last looked at, and when it last moved
    seen_id: int = -1
    moved_at: float = 0.0
    # the newest trade of an answer that looked like another tape's
    lower: Trade | None = None
    # ids up to here are known to be plausible
    trusted_to: int = 0
    # checks in a row in which REST knew trades that the stream should have brought
    silent_checks: int = 0
    # when the stream last brought a trade, and when REST was last asked for the newest ones
    heard_at: float = 0.0
    checked_at: float = 0.0
    checking: asyncio.Task[None] | None = None
    # REST has confirmed the tape since the connection stands, up to this exchange time
    is_verified: bool = False
    verified_ms: int = 0
    filling: asyncio.Task[None] | None = None
    # the newest frame of best prices, decoded when a bar is written
    best: bytes = b""
    best_at: float = 0.0
    # something in it cannot be worked with: nothing is collected until then (monotonic)
    parked_until: float = 0.0
    # candles of closed minutes, to be compared with ours
    klines: list[Kline] = field(default_factory=list)

    @property
    def is_parked(self) -> bool:
        return self.parked_until > 0

    @property
    def streams(self) -> Streams:
        return streams_of(self.followed.key)


@dataclass(frozen=True)
class Outside:
    """What the collector talks to."""

    hot: HotStore
    rest: PublicRest
    stream_url: str
    # asks PostgreSQL what to keep, given what is kept now
    find_members: Callable[[Collection[InstrumentKey]], Sequence[Followed]]
    # all of a collector's tapes are of one market, as its addresses and its budget are
    market: str = "spot"
    # where the streams are served while the exchange's wall stands; empty: nowhere
    data_stream_url: str = ""
    # how long verified 1 s and 1 m bars stay in Redis, in seconds
    hot_seconds: int = 2 * 3600
    hot_minutes: int = 48 * 3600
    # a share beyond those that there are now ends when it has handed everything over
    ends_empty: bool = False
    times: Times = field(default_factory=Times)
