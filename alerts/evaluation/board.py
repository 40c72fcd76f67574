"""Futures' own figures: the coming funding rate, open interest, liquidations."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.conf import settings

from alerts.conditions.kinds import Scope
from alerts.evaluation import rows, told
from alerts.evaluation.liquidations import Liquidations
from alerts.evaluation.rows import Row
from alerts.evaluation.values import Values
from market.instruments import InstrumentKey
from market.selectors.reading import read_board
from market.services import open_interest

EVERY_SECONDS = 2.0
# The exchange is asked for open interest so often.
ASK_SECONDS = 20.0
Known = tuple[Decimal, int]


class Board:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values = Values()
        self._looked_at = self._asked_at = float("-inf")
        self._liquidations = Liquidations(settings.BINANCE_FUTURES_STREAM_URL)

    def round(self) -> None:
        """Look once, if it is time."""
        if self._clock() - self._looked_at < EVERY_SECONDS:
            return
        self._looked_at = self._clock()
        standing = self._values.keep(rows.of_scopes(Scope.BOARD))
        if any(row.kind == "liquidations" for row in standing):
            self._liquidations.listen()
        else:
            self._liquidations.end()
        interest = self._ask({row.pair[1] for row in standing if row.kind == "open_interest"})
        marks: dict[str, Known | None] = {}
        for row in standing:
            symbol = row.pair[1]
            if row.kind == "funding" and symbol not in marks:
                marks[symbol] = _coming_rate(symbol)
            known = {
                "funding": marks.get(symbol),
                "open_interest": interest.get(symbol),
                "liquidations": self._liquidated(row),
            }[row.kind]
            if known is not None:
                self._feed(row, *known)

    def end(self) -> None:
        self._liquidations.end()

    def _feed(self, row: Row, value: Decimal, at_ms: int) -> None:
        path = told.page_of(InstrumentKey(settings.VENUE, *row.pair))
        self._values.feed(row, value, at_ms, lambda text: told.of_market(row, path, at_ms, text))

    def _ask(self, symbols: set[str]) -> dict[str, Known]:
        if self._clock() - self._asked_at < ASK_SECONDS:
            return {}
        self._asked_at = self._clock()
        return open_interest.ask(symbols)

    def _liquidated(self, row: Row) -> Known | None:
        if row.kind != "liquidations":
            return None
        now_ms = int(time.time() * 1000)
        value = self._liquidations.within(row.pair[1], int(row.condition["window_s"]), now_ms)
        return None if value is None else (value, now_ms)


def _coming_rate(symbol: str) -> Known | None:
    mark: dict[str, Any] | None = read_board(InstrumentKey(settings.VENUE, "usdm", symbol), "mark")
    return None if mark is None else (Decimal(mark["rate"]), int(mark["t"]))
