"""`@bookTicker`, `@depth…` (changes) and `@depth5|10|20…` (the top of the book)."""

import json
import re
from collections.abc import Iterable

from simulator.amounts import to_text
from simulator.audience import Audience
from simulator.book import BookChange, Levels
from simulator.listing import SPOT
from simulator.sources.events import Best
from simulator.symbol import Symbol

# Suffix of the name -> how often, in us (0: every change as it comes)
SPEEDS = {
    "spot": {"": 1_000_000, "@1000ms": 1_000_000, "@100ms": 0},
    "usdm": {"": 250_000, "@0ms": 0, "@100ms": 100_000, "@250ms": 250_000, "@500ms": 500_000},
}
PARTIAL = re.compile(r"(5|10|20)((?:@\d+ms)?)")
PARTIAL_FASTEST_US = 100_000


class Books:
    def __init__(self, symbol: Symbol, audience: Audience) -> None:
        self.symbol = symbol
        self.audience = audience
        self.is_spot = symbol.rules.market == SPOT
        self._speeds = SPEEDS[symbol.rules.market]
        self._pending: dict[str, BookChange] = {}
        self._due: dict[str, int] = {}
        self._told_top: dict[str, int] = {}

    def tell_best(self, best: Best, now_us: int) -> None:
        rules = self.symbol.rules
        price, quantity = rules.price_text, rules.quantity_text
        event_time = best.event_time or self.symbol.time(now_us)

        def payload(scale: int) -> str:
            names = (
                f'"s":"{rules.symbol}","b":"{price(best.bid)}","B":"{quantity(best.bid_size)}",'
                f'"a":"{price(best.ask)}","A":"{quantity(best.ask_size)}"'
            )
            if self.is_spot:
                return f'{{"u":{best.update_id},{names}}}'
            moment = event_time // scale
            return (
                f'{{"e":"bookTicker","u":{best.update_id},"E":{moment},"T":{moment},{names},'
                f'"ps":"{rules.symbol}","st":1}}'
            )

        self.audience.say(f"{self.symbol.head}bookTicker", payload)
        if not self.is_spot:
            self.audience.say("!bookTicker", payload)

    def tell_change(self, change: BookChange) -> None:
        for suffix, every in self._speeds.items():
            if not every:
                self._say_change(suffix, change)
            elif suffix in self._pending:
                self._pending[suffix] = _merged(self._pending[suffix], change)
            else:
                self._pending[suffix] = change

    def tick(self, now_us: int) -> None:
        for suffix, every in self._speeds.items():
            if every and now_us >= self._due.get(suffix, 0):
                self._due[suffix] = now_us // every * every + every
                change = self._pending.pop(suffix, None)
                if change is not None:
                    self._say_change(suffix, change)
        for name in self.audience.wanted(f"{self.symbol.head}depth"):
            self._tick_top(name, now_us)

    def _tick_top(self, name: str, now_us: int) -> None:
        match = PARTIAL.fullmatch(name)
        if match is None or match[2] not in self._speeds:
            return
        book = self.symbol.source.book
        every = self._speeds[match[2]] or PARTIAL_FASTEST_US
        if now_us < self._due.get(name, 0) or self._told_top.get(name) == book.update_id:
            return
        self._due[name] = now_us // every * every + every
        previous, self._told_top[name] = self._told_top.get(name, 0), book.update_id
        count, event_time = int(match[1]), self.symbol.time(now_us)

        def payload(scale: int) -> str:
            bids, asks = self._texts(book.top_bids(count)), self._texts(book.top_asks(count))
            if self.is_spot:
                body: dict[str, object] = {
                    "lastUpdateId": book.update_id,
                    "bids": bids,
                    "asks": asks,
                }
            else:
                body = self._usdm_body(
                    event_time // scale,
                    event_time // scale,
                    (book.update_id, book.update_id, previous),
                    bids,
                    asks,
                )
            return json.dumps(body, separators=(",", ":"))

        self.audience.say(f"{self.symbol.head}depth{name}", payload)

    def _say_change(self, suffix: str, change: BookChange) -> None:
        def payload(scale: int) -> str:
            bids, asks = self._texts(change.bids.items()), self._texts(change.asks.items())
            moment = change.event_time // scale
            if self.is_spot:
                body: dict[str, object] = {
                    "e": "depthUpdate",
                    "E": moment,
                    "s": self.symbol.rules.symbol,
                    "U": change.first_id,
                    "u": change.last_id,
                    "b": bids,
                    "a": asks,
                }
            else:
                ids = (change.first_id, change.last_id, change.previous_id)
                body = self._usdm_body(
                    moment, (change.time or change.event_time) // scale, ids, bids, asks
                )
            return json.dumps(body, separators=(",", ":"))

        self.audience.say(f"{self.symbol.head}depth{suffix}", payload)

    def _usdm_body(
        self, event_time: int, time: int, ids: tuple[int, int, int], bids: object, asks: object
    ) -> dict[str, object]:
        symbol = self.symbol.rules.symbol
        return {
            "e": "depthUpdate",
            "E": event_time,
            "T": time,
            "s": symbol,
            "U": ids[0],
            "u": ids[1],
            "pu": ids[2],
            "b": bids,
            "a": asks,
            "ps": symbol,
            "st": 1,
        }

    def _texts(self, levels: Iterable[tuple[int, int]]) -> list[list[str]]:
        return level_texts(self.symbol, levels)


def level_texts(symbol: Symbol, levels: Iterable[tuple[int, int]]) -> list[list[str]]:
    rules = symbol.rules
    if rules.market == SPOT:
        return [[to_text(price), to_text(size)] for price, size in levels]
    return [[rules.price_text(price), rules.quantity_text(size)] for price, size in levels]


def _merged(older: BookChange, newer: BookChange) -> BookChange:
    bids: Levels = {**older.bids, **newer.bids}
    asks: Levels = {**older.asks, **newer.asks}
    return BookChange(
        older.first_id, newer.last_id, bids, asks, newer.event_time, newer.time, older.previous_id
    )
