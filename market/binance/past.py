"""Questions of the public REST about times long ago: candles of any length, aggregates by time."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from lib.dates import INTERVALS
from market.binance.conversions import Aggregate, as_aggregate, as_kline_without_ids
from market.binance.rest_rows import (
    decode_aggregate_row,
    decode_aggregate_rows,
    decode_kline_row,
    decode_kline_rows,
)
from market.flow.klines import Kline

Decoded = TypeVar("Decoded")
T = TypeVar("T")

PAGE = 1000


class PastRest:
    """A part of `PublicRest`: every method raises TryAgain, MustWait or Refused."""

    async def candles(
        self, symbol: str, interval: str, start_ms: int, end_ms: int, kind: str
    ) -> list[Kline]:
        """Candles that open within start <= t <= end, at most 1000, oldest first, of single trades
        on both markets; no ids (-1). `minute` is each one's open time."""
        length_ms = INTERVALS[interval] * 1000
        params: dict[str, object] = {
            "symbol": symbol,
            "interval": interval,
            "startTime": start_ms,
            "endTime": end_ms,
            "limit": min(PAGE, max(1, -(-(end_ms + 1 - start_ms) // length_ms))),
        }
        body = await self._get("klines", params, kind)
        return self._rows(
            "klines", symbol, body, decode_kline_rows, decode_kline_row, as_kline_without_ids
        )

    async def aggregates(
        self, symbol: str, start_ms: int, end_ms: int, kind: str
    ) -> list[Aggregate]:
        """Those within start <= T <= end, at most 1000, oldest first."""
        return await self._aggregates(
            {"symbol": symbol, "startTime": start_ms, "endTime": end_ms, "limit": PAGE}, kind
        )

    async def aggregates_from(self, symbol: str, first_id: int, kind: str) -> list[Aggregate]:
        """At most 1000 from an aggregate's own id on, oldest first."""
        return await self._aggregates({"symbol": symbol, "fromId": first_id, "limit": PAGE}, kind)

    async def _aggregates(self, params: dict[str, object], kind: str) -> list[Aggregate]:
        body = await self._get("aggTrades", params, kind)
        return self._rows(
            "rows of aggregates",
            str(params["symbol"]),
            body,
            decode_aggregate_rows,
            decode_aggregate_row,
            as_aggregate,
        )

    async def _get(self, path: str, params: dict[str, object], kind: str) -> bytes:
        raise NotImplementedError

    def _rows(
        self,
        what: str,
        symbol: str,
        body: bytes,
        decode: Callable[[bytes], list[Decoded]],
        decode_one: Callable[[msgspec.Raw], Decoded],
        convert: Callable[[Decoded], T],
    ) -> list[T]:
        raise NotImplementedError
