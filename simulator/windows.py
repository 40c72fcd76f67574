"""Rolling statistics (24 h, 4 h, 1 h, 5 min) over the newest part of a tape."""

from collections import deque
from dataclasses import dataclass

from simulator.tape import MARKET, Tape, Trade


@dataclass(frozen=True)
class Statistic:
    """Trades first..last, both inclusive. Base in 1e-8, quote in 1e-16, times in us."""

    open_time: int
    close_time: int
    first: Trade
    last: Trade
    before: Trade | None
    high: int
    low: int
    base: int
    quote: int
    trades: int


class Window:
    """Keeps sums of the trades of the last `length_us`; each trade comes and goes once."""

    def __init__(self, tape: Tape, length_us: int) -> None:
        self._tape = tape
        self._length = length_us
        self._oldest = self._next = tape.first_id
        self._newest = 0
        self._base = self._quote = self._trades = 0
        # (id, price), the extreme first, each better than those behind it
        self._highs: deque[tuple[int, int]] = deque()
        self._lows: deque[tuple[int, int]] = deque()

    def roll(self, now_us: int) -> Statistic | None:
        """The window that ends now; nothing when no trade happened in it."""
        tape = self._tape
        if self._next > tape.last_id + 1 or self._next < tape.first_id:
            self._begin_anew()
        opens = now_us - self._length
        if self._oldest == self._next:  # empty: do not walk what is too old anyway
            self._oldest = self._next = max(self._next, tape.first_at_or_after(opens))
        for trade in tape.between(self._next, tape.last_id):
            self._add(trade)
        self._next = tape.last_id + 1
        self._expire(opens)
        if not self._trades:
            return None
        first = self._tape.at(self._first_id())
        return Statistic(
            opens,
            now_us,
            first,
            self._tape.at(self._newest),
            self._before(first.id),
            self._highs[0][1],
            self._lows[0][1],
            self._base,
            self._quote,
            self._trades,
        )

    def _begin_anew(self) -> None:
        self._oldest = self._next = self._tape.first_id
        self._newest = 0
        self._base = self._quote = self._trades = 0
        self._highs.clear()
        self._lows.clear()

    def _add(self, trade: Trade) -> None:
        if trade.kind != MARKET:
            return
        self._base += trade.quantity
        self._quote += trade.price * trade.quantity
        self._trades += 1
        self._newest = trade.id
        while self._highs and self._highs[-1][1] <= trade.price:
            self._highs.pop()
        while self._lows and self._lows[-1][1] >= trade.price:
            self._lows.pop()
        self._highs.append((trade.id, trade.price))
        self._lows.append((trade.id, trade.price))

    def _expire(self, opens: int) -> None:
        stop = min(self._tape.first_at_or_after(opens), self._next)
        if self._oldest < self._tape.first_id:  # forgotten before it grew old: sum again
            self._begin_anew()
            # a time before all that is remembered is in the past before the tape, which it does not
            # tell of; from there it would be summed again with every roll
            self._oldest = self._next = max(stop, self._tape.first_id)
            for trade in self._tape.between(self._oldest, self._tape.last_id):
                self._add(trade)
            self._next = self._tape.last_id + 1
            return
        for trade in self._tape.between(self._oldest, stop - 1):
            if trade.kind != MARKET:
                continue
            self._base -= trade.quantity
            self._quote -= trade.price * trade.quantity
            self._trades -= 1
        self._oldest = max(self._oldest, stop)
        for extremes in (self._highs, self._lows):
            while extremes and extremes[0][0] < self._oldest:
                extremes.popleft()

    def _first_id(self) -> int:
        """The first id in the window that is a trade and no hole."""
        trade_id = self._oldest
        while self._tape.at(trade_id).kind != MARKET:
            trade_id += 1
        return trade_id

    def _before(self, first_id: int) -> Trade | None:
        """The last trade before the window."""
        for trade_id in range(first_id - 1, max(self._tape.first_id, first_id - 1000) - 1, -1):
            trade = self._tape.at(trade_id)
            if trade.kind == MARKET:
                return trade
        return None
