"""`@ticker`, `@miniTicker`, `@ticker_1h|4h|1d`, `@avgPrice`, and their `!…@arr` of all symbols."""

import json
from collections.abc import Iterable
from functools import partial

from simulator.amounts import UNIT, ratio_text
from simulator.audience import Audience
from simulator.klines import quote_text
from simulator.listing import SPOT
from simulator.symbol import Symbol
from simulator.windows import Statistic

EVERY_US = 1_000_000
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
ROLLING = {"1h": HOUR_US, "4h": 4 * HOUR_US, "1d": DAY_US}
AVERAGE_US = 5 * MINUTE_US

Body = dict[str, object]


class Tickers:
    """All symbols of one market, once a second; arrays hold those that traded since."""

    def __init__(self, market: str, audience: Audience) -> None:
        self.audience = audience
        self._is_spot = market == SPOT
        self._due = 0
        self._told: dict[str, int] = {}

    def tick(self, symbols: Iterable[Symbol], now_us: int) -> None:
        if now_us < self._due:
            return
        self._due = now_us // EVERY_US * EVERY_US + EVERY_US
        changed = []
        for symbol in symbols:
            self._tell_symbol(symbol, now_us)
            if self._told.get(symbol.rules.symbol) != symbol.tape.last_id:
                self._told[symbol.rules.symbol] = symbol.tape.last_id
                changed.append(symbol)
        self._tell_arrays(changed, now_us)

    def _tell_symbol(self, symbol: Symbol, now_us: int) -> None:
        for kind in self.audience.wanted(symbol.head):
            make = _maker(kind, is_spot=self._is_spot)
            if make is not None and make(symbol, now_us, 1000):
                self.audience.say(f"{symbol.head}{kind}", partial(_text, make, symbol, now_us))

    def _tell_arrays(self, symbols: list[Symbol], now_us: int) -> None:
        for name in self.audience.wanted("!"):
            kind, at, more = name.partition("@arr")
            if not at or more or (self._is_spot and kind == "ticker"):  # retired on spot 2026-03-26
                continue
            make = _maker(kind, is_spot=self._is_spot)
            if make is None or kind == "avgPrice":
                continue

            def payload(scale: int, m: "Maker" = make) -> str:
                bodies = (m(symbol, now_us, scale) for symbol in symbols)
                return json.dumps([body for body in bodies if body], separators=(",", ":"))

            if symbols:
                self.audience.say(f"!{name}", payload)


class Maker:
    """Makes one symbol's body of a kind of ticker; nothing without a trade in its window."""

    def __init__(self, kind: str, length_us: int, *, is_spot: bool) -> None:
        self.kind, self.length_us, self.is_spot = kind, length_us, is_spot

    def __call__(self, symbol: Symbol, now_us: int, scale: int) -> Body | None:
        statistic = symbol.statistic(self.length_us, now_us)
        if statistic is None:
            return None
        if self.kind == "avgPrice":
            return _average(symbol, statistic, scale)
        if self.kind == "miniTicker":
            return _mini(symbol, statistic, scale, self.is_spot)
        if self.kind == "ticker":
            return _full(symbol, statistic, scale, self.is_spot)
        return _rolling(symbol, statistic, scale, self.kind)


def _maker(kind: str, *, is_spot: bool) -> Maker | None:
    if kind in {"ticker", "miniTicker"}:
        return Maker(kind, DAY_US, is_spot=is_spot)
    if is_spot and kind == "avgPrice":
        return Maker(kind, AVERAGE_US, is_spot=True)
    if is_spot and kind.startswith("ticker_") and kind[7:] in ROLLING:
        return Maker(kind, ROLLING[kind[7:]], is_spot=True)
    return None


def _average(symbol: Symbol, statistic: Statistic, scale: int) -> Body:
    return {
        "e": "avgPrice",
        "E": statistic.close_time // scale,
        "s": symbol.rules.symbol,
        "i": "5m",
        "w": ratio_text(statistic.quote, statistic.base * UNIT, 8),
        "T": statistic.last.time // scale,
    }


def _mini(symbol: Symbol, statistic: Statistic, scale: int, is_spot: bool) -> Body:
    rules = symbol.rules
    body: Body = {
        "e": "24hrMiniTicker",
        "E": statistic.close_time // scale,
        "s": rules.symbol,
        "c": rules.price_text(statistic.last.price),
        "o": rules.price_text(statistic.first.price),
        "h": rules.price_text(statistic.high),
        "l": rules.price_text(statistic.low),
        "v": rules.quantity_text(statistic.base),
        "q": quote_text(statistic.quote),
    }
    return body if is_spot else {**body, "ps": rules.symbol, "st": 1}


def _full(symbol: Symbol, statistic: Statistic, scale: int, is_spot: bool) -> Body:
    rules = symbol.rules
    price, quantity = rules.price_text, rules.quantity_text
    bid, bid_size, ask, ask_size = symbol.source.book.best()
    book = {"b": price(bid), "B": quantity(bid_size), "a": price(ask), "A": quantity(ask_size)}
    before = {"x": price((statistic.before or statistic.first).price)}
    return {
        "e": "24hrTicker",
        "E": statistic.close_time // scale,
        "s": rules.symbol,
        **_change(symbol, statistic),
        **(before if is_spot else {}),
        "c": price(statistic.last.price),
        "Q": quantity(statistic.last.quantity),
        **(book if is_spot else {}),
        **_sums(symbol, statistic, scale),
        **({} if is_spot else {"ps": rules.symbol, "st": 1}),
    }


def _rolling(symbol: Symbol, statistic: Statistic, scale: int, kind: str) -> Body:
    change = _change(symbol, statistic)
    return {
        "e": f"{kind[7:]}Ticker",
        "E": statistic.close_time // scale,
        "s": symbol.rules.symbol,
        **change,
        "c": symbol.rules.price_text(statistic.last.price),
        **_sums(symbol, statistic, scale),
    }


def _change(symbol: Symbol, statistic: Statistic) -> Body:
    moved = statistic.last.price - statistic.first.price
    text = symbol.rules.price_text(abs(moved))
    return {
        "p": f"-{text}" if moved < 0 else text,
        "P": ratio_text(moved * 100, statistic.first.price, 3),
        "w": ratio_text(statistic.quote, statistic.base * UNIT, 8),
    }


def _sums(symbol: Symbol, statistic: Statistic, scale: int) -> Body:
    rules = symbol.rules
    return {
        "o": rules.price_text(statistic.first.price),
        "h": rules.price_text(statistic.high),
        "l": rules.price_text(statistic.low),
        "v": rules.quantity_text(statistic.base),
        "q": quote_text(statistic.quote),
        "O": statistic.open_time // scale,
        "C": statistic.close_time // scale,
        "F": statistic.first.id,
        "L": statistic.last.id,
        "n": statistic.trades,
    }


def _text(make: Maker, symbol: Symbol, now_us: int, scale: int) -> str:
    return json.dumps(make(symbol, now_us, scale), separators=(",", ":"))
