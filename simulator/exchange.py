"""The exchange: advances every symbol and tells who listens. Everything comes from the tapes."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from simulator.audience import Audience
from simulator.book import BookChange
from simulator.channels.books import Books
from simulator.channels.candles import Candles
from simulator.channels.marks import Marks
from simulator.channels.tickers import Tickers
from simulator.channels.trades import Trades
from simulator.faults import Faults
from simulator.listing import SPOT, USDM, listing
from simulator.minutes import Minutes
from simulator.sources.capture import Capture
from simulator.sources.events import Best, Event, Hole, Liquidation, Mark, Source
from simulator.sources.generator import Generated
from simulator.sources.past import PastTrades
from simulator.sources.replay import UNREADABLE, Recording, Replayed
from simulator.sources.vision import VisionFile, is_archive
from simulator.sources.walk import Walks
from simulator.symbol import Symbol, batch_us
from simulator.tape import Row, Tape, Trade

FIRST_ID = 1_000_001
# Made-up markets that go on from a year are as busy as its trades, roughly.
PACE_BEHIND_A_PAST = 0.35


class Listed:
    """A symbol with the channels that speak of it; `watchers` hear of its trades."""

    def __init__(self, symbol: Symbol, audience: Audience, marks: Marks) -> None:
        self.symbol = symbol
        self.watchers: list[Callable[[Listed, list[Trade]], None]] = []
        self._marks = marks
        self._trades = Trades(symbol, audience)
        self._candles = Candles(symbol, audience)
        self._books = Books(symbol, audience)

    def advance(self, now_us: int) -> None:
        rows: list[Row] = []
        for event in self.symbol.source.advance(now_us):
            if isinstance(event, Row):
                rows.append(event)
                continue
            self._trade(rows, now_us)
            rows = []
            self._tell(event, now_us)
        self._trade(rows, now_us)
        self._trades.tick(now_us)
        self._candles.tick(now_us)
        self._books.tick(now_us)

    def forget(self) -> None:
        """The tape began anew: what was summed up so far is void."""
        self._trades.forget()
        self._candles.forget()

    def take(self, is_buy: bool, quantity: int, limit: int, now_us: int) -> list[Trade]:
        """A client's taker order on a made-up market: its trades are the tape's."""
        source = self.symbol.source
        if not isinstance(source, Generated) or source.is_halted:
            return []
        return self._trade(source.take(is_buy, quantity, limit, now_us), now_us)

    def depth(self, is_buy: bool, limit: int) -> int:
        """What the book has up to a price (0: all of it)."""
        book = self.symbol.source.book
        levels = book.top_asks(5000) if is_buy else book.top_bids(5000)
        return sum(
            size
            for price, size in levels
            if not limit or (price <= limit if is_buy else price >= limit)
        )

    def _trade(self, rows: list[Row], now_us: int) -> list[Trade]:
        if not rows:
            return []
        trades = self.symbol.tape.append(rows)
        self.symbol.batches.append((now_us, trades[-1].id))
        self._trades.tell(trades, [row.event_time for row in rows])
        self._candles.tell(trades)
        for watch in self.watchers:
            watch(self, trades)
        return trades

    def _tell(self, event: Event, now_us: int) -> None:
        if isinstance(event, Best):
            self._books.tell_best(event, now_us)
        elif isinstance(event, BookChange):
            self._books.tell_change(event)
        elif isinstance(event, Hole):
            self.symbol.tape.skip(event.ids, event.agg_id)
        elif isinstance(event, Mark):
            self.symbol.mark_told = event
        elif isinstance(event, Liquidation):
            self._marks.tell_liquidation(self.symbol, event)


class Market:
    """Spot or USD-M: its symbols, its audience, and what is said of all symbols at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.audience = Audience()
        self.listed: dict[str, Listed] = {}
        self._marks = Marks(self.audience)
        self._tickers = Tickers(name, self.audience)

    @property
    def symbols(self) -> Iterable[Symbol]:
        return [listed.symbol for listed in self.listed.values()]

    def add(self, symbol: Symbol) -> None:
        self.listed[symbol.rules.symbol] = Listed(symbol, self.audience, self._marks)

    def advance(self, now_us: int) -> None:
        for listed in self.listed.values():
            listed.advance(now_us)
        self._tickers.tick(self.symbols, now_us)
        if self.name == USDM:
            self._marks.tick(self.symbols, now_us)


class Exchange:
    """Both markets. `advance` is called every few milliseconds; REST reads the tapes.

    `clock` gives epoch microseconds; `clock_offset_us` moves everything, trades too.
    """

    def __init__(
        self, faults: Faults, rest_lag_ms: int = 300, clock: Callable[[], int] | None = None
    ) -> None:
        self.faults = faults
        self.rest_lag_us = rest_lag_ms * 1000
        self.markets = {SPOT: Market(SPOT), USDM: Market(USDM)}
        for market in self.markets.values():
            market.audience.is_silent = faults.is_silent
        self._clock = clock or now_us
        self.clock_offset_us = 0

    @property
    def symbols(self) -> dict[str, Symbol]:
        """Spot's symbols."""
        return {name: item.symbol for name, item in self.markets[SPOT].listed.items()}

    def now(self) -> int:
        return self._clock() + self.clock_offset_us

    def server_time(self) -> int:
        """What REST says the time is; a fault may make it wrong."""
        return self.now() + self.faults.clock_offset_us

    def lag_us(self) -> int:
        """How far REST's database is behind the streams."""
        return max(self.rest_lag_us, self.faults.rest_lag_us())

    def advance(self) -> None:
        """Let every symbol trade up to now and tell the listeners."""
        now = self.now()
        for market in self.markets.values():
            market.advance(now)

    # --- what is listed -------------------------------------------------------------------------

    def list_generated(
        self, name: str, folder: Path | None, seed: int, pace: float, market: str = SPOT
    ) -> None:
        rules = listing(name, market)
        file = folder / f"{'' if market == SPOT else market + '-'}{name}.tape" if folder else None
        tape = Tape(name, file, FIRST_ID, batch_us(market))
        tape.minutes = Minutes(tape, file.with_suffix(".minutes") if file else None)
        price = tape.last.price if tape.last else None
        source = Generated(rules, seed, price, pace, tape.last_id + 1)
        self._add(Symbol(rules, tape, source, seed))

    def list_recorded(
        self, name: str, path: Path, speed: float, market: str = SPOT, *, is_looped: bool = False
    ) -> None:
        """A capture or an archive of Binance. Raises ValueError with a sentence."""
        recording = _read(name, path, market)
        source: Source = Replayed(recording, speed, self.now(), is_looped=is_looped)
        tape = Tape(name, None, recording.first_id, batch_us(market))
        self._add(Symbol(recording.rules, tape, source))

    def go_on_from(self, walks: Walks) -> None:
        """Generated markets that are new begin where the walks are now, behind a year of trades of
        their own; the year is there after a restart too. A tape that does not fit it (one of before
        there were pasts) stays as it is, and has candles of that time only."""
        now_us = self.now()
        for symbol in [*self.markets[SPOT].symbols, *self.markets[USDM].symbols]:
            tape, source, rules = symbol.tape, symbol.source, symbol.rules
            if not isinstance(source, Generated):
                continue
            past = PastTrades(rules, walks)
            if not len(tape):
                source = symbol.source = source.begun_at(walks.at(rules, now_us // 1000))
            source.calm(PACE_BEHIND_A_PAST)
            if not len(tape) and not tape.begins:
                past.end_before(now_us)
                tape.begin_after(past)
                symbol.batches.clear()
                symbol.batches.append((0, tape.last_id))
                continue
            began_us = tape.at(tape.first_id).time if len(tape) else now_us
            # accounts that were removed may have left a tape that another year does not fit
            if tape.begins and past.end_with(tape.begins - 1) and past.end_us <= began_us:
                tape.before = tape.sums_before = past
            else:
                past.end_before(began_us)
                tape.sums_before = past

    def wipe(self, symbol: Symbol, first_id: int = 1) -> None:
        symbol.wipe(first_id)
        self.markets[symbol.rules.market].listed[symbol.rules.symbol].forget()

    def _add(self, symbol: Symbol) -> None:
        self.markets[symbol.rules.market].add(symbol)


def _read(name: str, path: Path, market: str) -> Recording:
    try:
        return VisionFile(path, market, name) if is_archive(path) else Capture(path, market, name)
    except ValueError:
        raise
    except UNREADABLE as error:
        what = f"{type(error).__name__} {error}"
        raise ValueError(f"{path}: expected a capture or an archive: {what}") from error


def now_us() -> int:
    return time.time_ns() // 1000
