"""Futures: `@markPrice[@1s]`, `!markPrice@arr[@1s]`, `@forceOrder`, `!forceOrder@arr`."""

import json
from collections.abc import Iterable

from simulator.amounts import to_text
from simulator.audience import Audience
from simulator.sources.events import Liquidation, Mark
from simulator.symbol import Symbol

EVERY_US = {"": 3_000_000, "@1s": 1_000_000}


class Marks:
    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self._due = dict.fromkeys(EVERY_US, 0)

    def tick(self, symbols: Iterable[Symbol], now_us: int) -> None:
        listed = list(symbols)
        for suffix, every in EVERY_US.items():
            if now_us < self._due[suffix]:
                continue
            self._due[suffix] = now_us // every * every + every
            for symbol in listed:
                self._tell(f"{symbol.head}markPrice{suffix}", [symbol], now_us, is_array=False)
            self._tell(f"!markPrice@arr{suffix}", listed, now_us, is_array=True)

    def tell_liquidation(self, symbol: Symbol, order: Liquidation) -> None:
        rules = symbol.rules
        price, quantity = rules.price_text(order.price), rules.quantity_text(order.quantity)
        event_time = order.time + symbol.delay()

        def payload(scale: int) -> str:
            body = {
                "e": "forceOrder",
                "E": event_time // scale,
                "o": {
                    "s": rules.symbol,
                    "S": "SELL" if order.is_sell else "BUY",
                    "o": "LIMIT",
                    "f": "IOC",
                    "q": quantity,
                    "p": price,
                    "ap": price,
                    "X": "FILLED",
                    "l": quantity,
                    "z": quantity,
                    "T": order.time // scale,
                },
                "ps": rules.symbol,
                "st": 1,
            }
            return json.dumps(body, separators=(",", ":"))

        self.audience.say(f"{symbol.head}forceOrder", payload)
        self.audience.say("!forceOrder@arr", payload)

    def _tell(self, stream: str, symbols: list[Symbol], now_us: int, *, is_array: bool) -> None:
        if not self.audience.wants(stream):
            return
        marks = [(symbol, symbol.mark(now_us)) for symbol in symbols]

        def payload(scale: int) -> str:
            bodies = [
                mark_body(s, mark, s.time(now_us) // scale, scale) for s, mark in marks if mark
            ]
            return json.dumps(bodies if is_array else bodies[0], separators=(",", ":"))

        if any(mark for _, mark in marks):
            self.audience.say(stream, payload)


def mark_body(symbol: Symbol, mark: Mark, event_time: int, scale: int) -> dict[str, object]:
    return {
        "e": "markPriceUpdate",
        "E": event_time,
        "s": symbol.rules.symbol,
        "p": to_text(mark.price),
        "ap": to_text(mark.price),
        "P": to_text(mark.settle),
        "i": to_text(mark.index_price),
        "r": to_text(mark.rate),
        "T": mark.next_funding // scale,
        "st": 1,
    }
