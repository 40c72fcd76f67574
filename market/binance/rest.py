"""The one door to Binance's public REST: python-binance's AsyncClient as transport, behind the
governor.

What the client lacks is here: our own addresses, microseconds, a time limit, the headers of the
call's own answer, and errors split by what the caller does.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
import redis.asyncio as redis

from market.binance.breaker import DENIALS, Breaker
from market.binance.conversions import as_kline_without_ids, as_snapshot, as_trade
from market.binance.errors import MustWait, Refused, TooOld, TryAgain
from market.binance.governor import Governor, ban_seconds
from market.binance.past import PastRest
from market.binance.rest_rows import (
    FundingRow,
    decode_agg_trade_row,
    decode_agg_trade_rows,
    decode_depth_body,
    decode_error,
    decode_first_ids,
    decode_funding_rows,
    decode_kline_row,
    decode_kline_rows,
    decode_open_interest,
    decode_raw_rows,
    decode_row_id,
    decode_server_time,
    decode_trade_row,
    decode_trade_rows,
)
from market.binance.transport import Transport
from market.binance.walls import is_served_elsewhere
from market.book.levels import Snapshot
from market.flow.klines import Kline
from market.flow.ticks import is_micro
from market.flow.trades import Trade

Decoded = TypeVar("Decoded")
T = TypeVar("T")

PAGE = 1000
# Levels a side of a book's snapshot, and of one that is only asked for its update id.
BOOK_DEPTH, LEAST_DEPTH = 500, 5
TOO_OLD = -4166
# Rows that could not be read and nobody has asked for yet, at most.
UNREADABLE_KEPT = 1000
# What futures remember of their aggregates, with room for a slow way there.
REMEMBERED_MS = 47 * 3_600_000


class PublicRest(PastRest):
    """One market's public data, in the ids of its tape. Every method raises TryAgain, MustWait or
    Refused."""

    PREFIX: str
    # Binance's own weights, 2026
    WEIGHTS: Mapping[str, int]
    WEIGHTS_BY_LIMIT: Mapping[str, Sequence[tuple[int, int]]] = {}

    def __init__(
        self, base_url: str, governor: Governor, elsewhere: "PublicRest | None" = None
    ) -> None:
        """`elsewhere` serves market data too and is asked while the exchange's wall stands."""
        self.governor = governor
        self._base_url = base_url
        self._elsewhere = elsewhere
        self._transport: Transport | None = None
        self._breaker = Breaker()
        # (symbol, its id or its text) -> why a row was left out
        self.unreadable: dict[tuple[str, str], str] = {}

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close_connection()
            self._transport = None
        if self._elsewhere is not None:
            await self._elsewhere.close()

    async def newest_trades(self, symbol: str, kind: str = "live") -> list[Trade]:
        """The newest rows of the tape, at most 1000, oldest first."""
        raise NotImplementedError

    async def trades_from(self, symbol: str, first_id: int, kind: str = "live") -> list[Trade]:
        """At most 1000 rows of the tape from `first_id` on, oldest first."""
        raise NotImplementedError

    async def first_id_since(
        self, symbol: str, start_ms: int, kind: str = "backfill"
    ) -> int | None:
        """The id of the tape's first row at or after a moment; None when none came since."""
        raise NotImplementedError

    async def oldest_id(self, symbol: str) -> int | None:
        """The oldest row that the exchange surely still knows, where it forgets them."""
        raise NotImplementedError

    async def klines(self, symbol: str, start_ms: int, end_ms: int) -> list[Kline]:
        """Minutes that open within start <= t <= end, at most 1000, oldest first; no ids (-1)."""
        wanted = min(PAGE, max(1, (end_ms - start_ms) // 60_000 + 1))
        body = await self._get(
            "klines",
            {
                "symbol": symbol,
                "interval": "1m",
                "startTime": start_ms,
                "endTime": end_ms,
                "limit": wanted,
            },
            "audit",
        )
        return self._rows(
            "klines", symbol, body, decode_kline_rows, decode_kline_row, as_kline_without_ids
        )

    async def book(self, symbol: str, levels: int = BOOK_DEPTH) -> Snapshot:
        """The order book, so many levels a side."""
        body = await self._get("depth", {"symbol": symbol, "limit": levels}, "backfill")
        return _read("a book", body, decode_depth_body, as_snapshot)

    async def measure_clock(self) -> float:
        """The exchange's clock minus ours in ms, as the middle of one call tells it."""
        sent_at = time.time()
        body = await self._get("time", {}, "audit")
        ours_ms = (sent_at + time.time()) * 500
        theirs = _read(
            "a server time", body, decode_server_time, lambda said: float(said.serverTime)
        )
        offset = (theirs / 1000 if is_micro(theirs) else theirs) - ours_ms
        try:
            await self.governor.keep_clock(offset)
        except redis.RedisError as error:
            raise TryAgain("the limiter cannot be told") from error
        return offset

    async def _get(self, path: str, params: dict[str, object], kind: str) -> bytes:
        try:
            return await self._ask(path, params, kind)
        except MustWait:
            if self._elsewhere is None or not is_served_elsewhere(f"{self.PREFIX}/{path}"):
                raise
            try:
                is_walled = await self.governor.is_walled()
            except redis.RedisError as error:
                raise TryAgain("the limiter cannot be asked, so nobody calls") from error
            if not is_walled:
                raise
            return await self._elsewhere._get(path, params, kind)

    async def _ask(self, path: str, params: dict[str, object], kind: str) -> bytes:
        self._breaker.check()
        try:
            await self.governor.reserve(self._weight(path, params), kind, patience=5.0)
        except redis.RedisError as error:
            raise TryAgain("the limiter cannot be asked, so nobody calls") from error
        query = "&".join(f"{key}={quote(str(value))}" for key, value in params.items())
        try:
            status, headers, body = await self._call(f"{path}?{query}" if query else path)
        except TryAgain:
            self._breaker.failed()
            raise
        try:
            used = headers.get("X-MBX-USED-WEIGHT-1M", "")
            if used.isdigit():
                await self.governor.true_up(int(used))
            if status == 200 and body.lstrip()[:1] in {b"[", b"{"}:
                self._breaker.succeeded()
                return body
            if status == 200 or status >= 500:  # a page of a proxy's is no answer either
                self._breaker.failed()
            elif status not in DENIALS:
                self._breaker.succeeded()
            if status == 200:
                raise TryAgain(f"{path}: expected JSON, was {body[:80]!r}")
            raise await self._error(status, headers.get("Retry-After"), body)
        except redis.RedisError as error:
            raise TryAgain("the limiter cannot be told") from error

    def _weight(self, path: str, params: Mapping[str, object]) -> int:
        """Where the limit counts: (up to this limit, weight) rows, else one weight a path."""
        limit = params.get("limit")
        for most, weight in self.WEIGHTS_BY_LIMIT.get(path, ()):
            if isinstance(limit, int) and limit <= most:
                return weight
        return self.WEIGHTS[path]

    async def _call(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        if self._transport is None:
            self._transport = Transport(self._base_url)
        try:
            answer: tuple[int, Mapping[str, str], bytes] = await self._transport._request(
                "get",
                f"{self._base_url}{self.PREFIX}/{path}",
                False,
            )
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TryAgain(f"{path.split('?')[0]}: {type(error).__name__}") from error
        return answer

    async def _error(self, status: int, retry_after: str | None, body: bytes) -> Exception:
        try:
            refusal = decode_error(body)
            code, message = refusal.code, refusal.msg
        except msgspec.DecodeError:
            code, message = 0, body[:200].decode(errors="replace")
        if status in {418, 429}:
            seconds = ban_seconds(status, retry_after, message)
            await self.governor.ban(seconds, f"Binance answered {status}: {message}"[:200])
            return MustWait(seconds, f"Binance answered {status}")
        if status in DENIALS:
            seconds, is_of_all = self._breaker.denied(status)
            if is_of_all:
                await self.governor.wall(seconds, f"Binance answered {status}: {message}"[:200])
            return MustWait(seconds, f"Binance answered {status}")
        if status >= 500 or code in {-1000, -1001, -1008}:
            return TryAgain(f"Binance answered {status}")
        return TooOld(code, message) if code == TOO_OLD else Refused(code, message)

    def _rows(
        self,
        what: str,
        symbol: str,
        body: bytes,
        decode: Callable[[bytes], list[Decoded]],
        decode_one: Callable[[msgspec.Raw], Decoded],
        convert: Callable[[Decoded], T],
    ) -> list[T]:
        """A row that cannot be read is left out alone and told in `unreadable`; an answer that
        cannot be read for the most part is none (TryAgain)."""
        try:
            return [convert(row) for row in decode(body)]
        except (msgspec.DecodeError, ValueError):
            rows: list[msgspec.Raw] = _read(what, body, decode_raw_rows, list)
        good: list[T] = []
        bad: list[tuple[msgspec.Raw, str]] = []
        for row in rows:
            try:
                good.append(convert(decode_one(row)))
            except (msgspec.DecodeError, ValueError) as error:
                bad.append((row, str(error)))
        if len(bad) > len(good):
            raise TryAgain(f"expected {what}, was {body[:80]!r}: {bad[0][1]}")
        for row, why in bad:
            if len(self.unreadable) < UNREADABLE_KEPT:
                text = bytes(row).decode(errors="replace")
                self.unreadable[symbol, _name_of(row)] = f"{what}: {why}: {text[:200]}"
        return good


class SpotRest(PublicRest):
    """Source: binance-spot-api-docs rest-api.md. A row of the tape is a trade."""

    PREFIX = "/api/v3"
    WEIGHTS: Mapping[str, int] = {
        "trades": 25,
        "historicalTrades": 25,
        "aggTrades": 4,
        "klines": 2,
        "time": 1,
        "depth": 50,
    }
    WEIGHTS_BY_LIMIT: Mapping[str, Sequence[tuple[int, int]]] = {"depth": ((100, 5), (500, 25))}

    async def newest_trades(self, symbol: str, kind: str = "live") -> list[Trade]:
        """From memory, so they are fresh."""
        body = await self._get("trades", {"symbol": symbol, "limit": PAGE}, kind)
        return self._rows(
            "rows of trades", symbol, body, decode_trade_rows, decode_trade_row, as_trade
        )

    async def trades_from(self, symbol: str, first_id: int, kind: str = "live") -> list[Trade]:
        """From a database, so they lag."""
        params = {"symbol": symbol, "fromId": first_id, "limit": PAGE}
        body = await self._get("historicalTrades", params, kind)
        return self._rows(
            "rows of trades", symbol, body, decode_trade_rows, decode_trade_row, as_trade
        )

    async def first_id_since(
        self, symbol: str, start_ms: int, kind: str = "backfill"
    ) -> int | None:
        body = await self._get(
            "aggTrades", {"symbol": symbol, "startTime": start_ms, "limit": 1}, kind
        )
        rows = _read("rows of aggregates", body, decode_first_ids, tuple)
        return rows[0].first_id if rows else None


class UsdmRest(PublicRest):
    """Source: developers.binance.com, USD-M futures. A row of the tape is an aggregate of 100 ms;
    the exchange remembers them for a day or two only."""

    PREFIX = "/fapi/v1"
    WEIGHTS: Mapping[str, int] = {
        "aggTrades": 20,
        "klines": 5,
        "time": 1,
        "depth": 20,
        "fundingRate": 1,
        "openInterest": 1,
    }
    WEIGHTS_BY_LIMIT: Mapping[str, Sequence[tuple[int, int]]] = {
        "klines": ((99, 1), (499, 2)),
        "depth": ((50, 2), (100, 5), (500, 10)),
    }

    async def newest_trades(self, symbol: str, kind: str = "live") -> list[Trade]:
        params: dict[str, object] = {"symbol": symbol, "limit": PAGE}
        body = await self._get("aggTrades", params, kind)
        return self._rows(
            "rows of aggregates",
            symbol,
            body,
            decode_agg_trade_rows,
            decode_agg_trade_row,
            as_trade,
        )

    async def trades_from(self, symbol: str, first_id: int, kind: str = "live") -> list[Trade]:
        params = {"symbol": symbol, "fromId": first_id, "limit": PAGE}
        body = await self._get("aggTrades", params, kind)
        return self._rows(
            "rows of aggregates",
            symbol,
            body,
            decode_agg_trade_rows,
            decode_agg_trade_row,
            as_trade,
        )

    async def first_id_since(
        self, symbol: str, start_ms: int, kind: str = "backfill"
    ) -> int | None:
        body = await self._get(
            "aggTrades", {"symbol": symbol, "startTime": start_ms, "limit": 1}, kind
        )
        rows = self._rows(
            "rows of aggregates",
            symbol,
            body,
            decode_agg_trade_rows,
            decode_agg_trade_row,
            as_trade,
        )
        return rows[0].id if rows else None

    async def oldest_id(self, symbol: str) -> int | None:
        return await self.first_id_since(symbol, int(time.time() * 1000) - REMEMBERED_MS)

    async def klines(self, symbol: str, start_ms: int, end_ms: int) -> list[Kline]:
        """They count single trades, of which this tape knows nothing."""
        rows = await super().klines(symbol, start_ms, end_ms)
        return [row.without_trades() for row in rows]

    async def funding(self, symbol: str, start_ms: int) -> list[FundingRow]:
        """Settled funding from a moment on, at most 1000 rows, oldest first."""
        params = {"symbol": symbol, "startTime": start_ms, "limit": PAGE}
        body = await self._get("fundingRate", params, "audit")
        return _read("rows of funding", body, decode_funding_rows, list)

    async def open_interest(self, symbol: str) -> tuple[str, int]:
        """(contracts as decimal text, the exchange's time in epoch ms)."""
        body = await self._get("openInterest", {"symbol": symbol}, "audit")
        return _read(
            "open interest", body, decode_open_interest, lambda row: (row.open_interest, row.time)
        )


def rest_of(market: str) -> type[PublicRest]:
    return UsdmRest if market == "usdm" else SpotRest


def _name_of(row: msgspec.Raw) -> str:
    """The id of a row that cannot be read, else its beginning."""
    try:
        ids = decode_row_id(row)
    except (msgspec.DecodeError, ValueError):
        return bytes(row)[:40].decode(errors="replace")
    known = ids.id if ids.id is not None else ids.aggregate
    return bytes(row)[:40].decode(errors="replace") if known is None else str(known)


def _read(
    what: str, body: bytes, decode: Callable[[bytes], Decoded], convert: Callable[[Decoded], T]
) -> T:
    """Raises TryAgain for what is not what was asked for."""
    try:
        return convert(decode(body))
    except (msgspec.DecodeError, ValueError) as error:
        raise TryAgain(f"expected {what}, was {body[:80]!r}") from error
