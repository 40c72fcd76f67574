"""What `/api/v3` and `/fapi/v1` have in common."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice

from aiohttp import web

from simulator.accounts.refusals import Refusal
from simulator.channels.books import level_texts
from simulator.exchange import Exchange
from simulator.klines import LENGTHS, Stretches, is_hidden, is_left_out, klines, row, span
from simulator.limits import WEIGHT_A_MINUTE
from simulator.listing import SPOT
from simulator.rest import shapes
from simulator.rest.questions import (
    count,
    integer,
    moment,
    one_symbol,
    scale,
    symbols,
)
from simulator.symbol import Symbol
from simulator.tape import MARKET, Tape, Trade

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TRADES, AGGREGATES = "trades", "aggregates"
DAY_US = 86_400_000_000
# Candles whose parts, hours of the past, are summed up beside the event loop.
LONG = {"1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"}
ZONE = re.compile(r"[+-]?(0?[0-9]|1[0-4])(:[0-5][0-9])?", re.ASCII)


class MarketRest(ABC):
    """Handlers of one market; a subclass adds what only that market has.

    `paths` maps a path to its handler.
    """

    prefix: str
    name: str
    klines_at_most = 1000

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.market = exchange.markets[self.name]

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{self.prefix}/{path}", handler) for path, handler in self.paths().items()]

    def paths(self) -> dict[str, Handler]:
        return {
            "ping": self.ping,
            "time": self.time,
            "exchangeInfo": self.exchange_info,
            "depth": self.depth,
            "trades": self.trades,
            "historicalTrades": self.historical_trades,
            "aggTrades": self.agg_trades,
            "klines": self.klines,
            "ticker/24hr": self.day,
            "ticker/price": self.price,
            "ticker/bookTicker": self.best,
        }

    @abstractmethod
    def weight(self, request: web.Request) -> int:
        """What Binance counts for this request."""

    # --- the exchange ---------------------------------------------------------------------------

    async def ping(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def time(self, request: web.Request) -> web.Response:
        return web.json_response({"serverTime": self.exchange.server_time() // scale(request)})

    async def exchange_info(self, request: web.Request) -> web.Response:
        listed, _ = symbols(request, self.market)
        info = shapes.spot_info if self.name == SPOT else shapes.usdm_info
        return web.json_response(
            {
                "timezone": "UTC",
                "serverTime": self.exchange.server_time() // scale(request),
                "rateLimits": self.rate_limits(),
                "exchangeFilters": [],
                **self.more_info(listed),
                "symbols": [info(symbol.rules) for symbol in listed],
            }
        )

    def rate_limits(self) -> list[shapes.Body]:
        return [shapes.limit("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_A_MINUTE[self.name])]

    def more_info(self, listed: list[Symbol]) -> shapes.Body:
        return {}

    # --- the book -------------------------------------------------------------------------------

    async def depth(self, request: web.Request) -> web.Response:
        symbol = one_symbol(request, self.market)
        limit = self.depth_limit(request)
        book = symbol.source.book
        now_ms = self.exchange.now() // 1000
        times = {} if self.name == SPOT else {"E": now_ms, "T": now_ms}
        return web.json_response(
            {
                "lastUpdateId": book.update_id,
                **times,
                "bids": level_texts(symbol, book.top_bids(limit)),
                "asks": level_texts(symbol, book.top_asks(limit)),
            }
        )

    def depth_limit(self, request: web.Request) -> int:
        return count(request, 100, 5000)

    async def best(self, request: web.Request) -> web.Response:
        listed, is_list = symbols(request, self.market)
        rows = [shapes.best(symbol, self.exchange.now()) for symbol in listed]
        return web.json_response(rows if is_list else rows[0])

    # --- trades ---------------------------------------------------------------------------------

    async def trades(self, request: web.Request) -> web.Response:
        """The newest, from memory."""
        symbol = one_symbol(request, self.market)
        wanted, last = count(request), symbol.tape.last_id
        # holes and futures' insurance rows are not answered: look a little further back
        newest = list(self._market_trades(symbol, last - 2 * wanted - 1000, last))[-wanted:]
        return self._trades(symbol, newest, request)

    async def historical_trades(self, request: web.Request) -> web.Response:
        """By id, from a database that lags the stream."""
        symbol = one_symbol(request, self.market)
        last = symbol.visible_id(self.exchange.now(), self.exchange.lag_us())
        wanted, first = count(request), integer(request, "fromId")
        first = first if first is None else max(first, self.oldest_told(symbol, TRADES))
        if first is None:
            page = list(self._market_trades(symbol, last - 2 * wanted - 1000, last))[-wanted:]
        else:
            page = list(islice(self._market_trades(symbol, first, last), wanted))
        return self._trades(symbol, page, request)

    async def agg_trades(self, request: web.Request) -> web.Response:
        symbol = one_symbol(request, self.market)
        tape, wanted = symbol.tape, count(request)
        visible = symbol.visible_id(self.exchange.now(), self.exchange.lag_us())
        from_id, start, end = integer(request, "fromId"), *self._span(request)
        if end is not None:
            ended = tape.first_at_or_after(end + scale(request)) - 1
            # the whole aggregate that began by then
            visible = min(visible, tape.first_of_agg(tape.agg_of(ended) + 1) - 1)
        last = tape.whole_aggregate(min(visible, tape.last_id))
        first = last - wanted + 1
        if from_id is not None:
            first = max(from_id, tape.agg_of(self.oldest_told(symbol, AGGREGATES)))
        elif start is not None:
            first = _first_since(tape, start)
        hidden = self._hidden(symbol)
        begins, ends = tape.first_of_agg(first), tape.first_of_agg(last + 1) - 1
        begins = told_from(tape, begins, hidden)
        aggregates = (
            item for item in tape.aggregates(begins, ends) if not is_hidden(item.time, hidden)
        )
        rows = [
            shapes.aggregate(symbol.rules, item, scale(request))
            for item in islice(aggregates, wanted)
        ]
        return web.json_response(rows)

    def _span(self, request: web.Request) -> tuple[int | None, int | None]:
        return moment(request, "startTime"), moment(request, "endTime")

    def oldest_told(self, symbol: Symbol, of: str) -> int:
        """The first trade that `historicalTrades` or `aggTrades` remembers."""
        return symbol.tape.oldest_id

    def _hidden(self, symbol: Symbol) -> Stretches:
        return self.exchange.faults.hidden(self.name, symbol.rules.symbol)

    def _market_trades(self, symbol: Symbol, first: int, last: int) -> Iterator[Trade]:
        """Insurance fund and ADL rows are never published."""
        step, hidden = 5_000, self._hidden(symbol)
        first = told_from(symbol.tape, max(first, symbol.tape.oldest_id), hidden)
        for start in range(first, last + 1, step):
            for trade in symbol.tape.between(start, min(last, start + step - 1)):
                if trade.kind == MARKET and not is_hidden(trade.time, hidden):
                    yield trade

    def _trades(
        self, symbol: Symbol, trades: Iterable[Trade], request: web.Request
    ) -> web.Response:
        rows = [shapes.trade(symbol.rules, item, scale(request)) for item in trades]
        return web.json_response(rows)

    # --- candles and tickers --------------------------------------------------------------------

    async def klines(self, request: web.Request) -> web.Response:
        symbol = one_symbol(request, self.market)
        return await self._klines(symbol, request)

    async def _klines(self, symbol: Symbol, request: web.Request) -> web.Response:
        interval = request.query.get("interval", "")
        if interval not in LENGTHS:
            raise Refusal(-1120, "Invalid interval.")
        zone = _zone(request.query.get("timeZone", "0"))
        wanted = count(request, 500, self.klines_at_most)
        start, end = moment(request, "startTime"), moment(request, "endTime")
        newest = symbol.time(self.exchange.now())
        end = newest if end is None else min(end, newest)
        opened = _first_open(start, end, wanted, interval, zone)
        if interval in LONG and symbol.tape.sums_before is not None and opened <= end:
            _, closed = span(opened, interval, zone)
            last = min(end, opened + (closed + 1 - opened) * wanted)
            await asyncio.to_thread(symbol.tape.sums_before.warm, opened, last)
        hidden = self._hidden(symbol)
        every = self.exchange.faults.leaves_out(self.name, symbol.rules.symbol, interval)
        candles = klines(symbol.tape, interval, opened, end, zone, hidden) if opened <= end else ()
        told = (item for item in candles if not is_left_out(item, every))
        rows = [row(item, symbol.rules, scale(request)) for item in islice(told, wanted)]
        return web.json_response(rows)

    async def day(self, request: web.Request) -> web.Response:
        listed, is_list = symbols(request, self.market)
        kind = request.query.get("type", "FULL")
        if kind not in {"FULL", "MINI"}:
            raise Refusal(-1139, "Invalid ticker type.")
        now = self.exchange.now()
        rows = [
            shapes.day(symbol, symbol.statistic(DAY_US, now), now, scale(request), kind)
            for symbol in listed
        ]
        return web.json_response(rows if is_list else rows[0])

    async def price(self, request: web.Request) -> web.Response:
        listed, is_list = symbols(request, self.market)
        rows = [
            self.last_price(symbol, last) for symbol in listed if (last := symbol.tape.last_market)
        ]
        return web.json_response(rows if is_list else rows[0] if rows else {})

    def last_price(self, symbol: Symbol, last: Trade) -> shapes.Body:
        return {"symbol": symbol.rules.symbol, "price": symbol.rules.price_text(last.price)}


def told_from(tape: Tape, trade_id: int, hidden: Stretches) -> int:
    """The first id that is told when a fault hides a stretch."""
    for _, end in sorted(hidden):
        if tape.knows(trade_id) and is_hidden(tape.at(trade_id).time, hidden):
            trade_id = max(trade_id, tape.first_at_or_after(end))
    return trade_id


def _first_since(tape: Tape, time_us: int) -> int:
    """The first aggregate that begins at or after a moment."""
    trade_id = tape.first_at_or_after(time_us)
    if trade_id > tape.last_id:
        return 2**62
    agg_id = tape.agg_of(trade_id)
    return agg_id + (tape.first_of_agg(agg_id) < trade_id)


def _first_open(start: int | None, end: int, wanted: int, interval: str, zone: int) -> int:
    """Open time of the first candle asked for: at or after `start`, or `wanted` before `end`."""
    if start is not None:
        opened, closed = span(start, interval, zone)
        return opened if opened == start else closed + 1
    opened, _ = span(end, interval, zone)
    for _ in range(wanted - 1):
        opened, _ = span(opened - 1, interval, zone)
    return opened


def _zone(text: str) -> int:
    """`8`, `-1:00`, `05:45` -> microseconds."""
    if not ZONE.fullmatch(text):
        raise Refusal(-1106, "Parameter 'timeZone' sent when not valid.")
    sign = -1 if text.startswith("-") else 1
    hours, _, minutes = text.lstrip("+-").partition(":")
    return sign * (int(hours) * 60 + int(minutes or 0)) * 60_000_000
