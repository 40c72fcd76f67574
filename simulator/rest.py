"""Spot REST in the shapes of /api/v3, and the simulator's own control at /simulator/."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator import truth
from simulator.amounts import product_text, to_text
from simulator.exchange import Exchange, Symbol, now_us
from simulator.klines import SECONDS, klines, row
from simulator.sockets import Sockets
from simulator.tape import AggTrade, Trade

WEIGHT_LIMIT = 6000
WEIGHTS = {
    "ping": 1, "time": 1, "exchangeInfo": 20, "trades": 25, "historicalTrades": 25,
    "aggTrades": 4, "klines": 2,
}  # fmt: skip
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):
    """An error as the exchange says it."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class Rest:
    def __init__(self, exchange: Exchange, sockets: Sockets) -> None:
        self.exchange = exchange
        self.sockets = sockets
        self._used: defaultdict[int, int] = defaultdict(int)

    def routes(self) -> list[web.RouteDef]:
        market = {
            "ping": self.ping, "time": self.time, "exchangeInfo": self.exchange_info,
            "trades": self.trades, "historicalTrades": self.historical_trades,
            "aggTrades": self.agg_trades, "klines": self.klines,
        }  # fmt: skip
        return [
            *(web.get(f"/api/v3/{name}", handler) for name, handler in market.items()),
            web.get("/simulator/faults", self.show_faults),
            web.post("/simulator/faults", self.change_faults),
            web.post("/simulator/cut", self.cut),
            web.get("/simulator/truth", self.truth),
        ]

    @web.middleware
    async def weigh(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Weights a minute with their header, refusals in the exchange's words."""
        name = request.path.rsplit("/", 1)[-1]
        minute = int(time.time() // 60)
        if request.path.startswith("/api/"):
            self._used[minute] += WEIGHTS.get(name, 1)
        used = self._used[minute]
        headers = {"X-MBX-USED-WEIGHT": str(used), "X-MBX-USED-WEIGHT-1M": str(used)}
        if used > WEIGHT_LIMIT and request.path.startswith("/api/"):
            headers["Retry-After"] = str(60 - int(time.time()) % 60)
            body = {"code": -1003, "msg": "Too much request weight used; current limit is 6000."}
            return web.json_response(body, status=429, headers=headers)
        try:
            answer = await handler(request)
        except Refusal as error:
            answer = web.json_response({"code": error.code, "msg": str(error)}, status=error.status)
        if isinstance(answer, web.Response):
            answer.headers.update(headers)
        return answer

    # --- /api/v3 --------------------------------------------------------------------------------

    async def ping(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def time(self, request: web.Request) -> web.Response:
        return web.json_response({"serverTime": now_us() // _scale(request)})

    async def exchange_info(self, request: web.Request) -> web.Response:
        wanted = request.query.get("symbol")
        listed = [self._symbol(request)] if wanted else self.exchange.symbols.values()
        return web.json_response(
            {
                "timezone": "UTC",
                "serverTime": now_us() // _scale(request),
                "rateLimits": [
                    _limit("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_LIMIT),
                    _limit("ORDERS", "SECOND", 10, 50),
                    _limit("ORDERS", "DAY", 1, 160_000),
                    _limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
                ],
                "exchangeFilters": [],
                "symbols": [_symbol_info(symbol) for symbol in listed],
            }
        )

    async def trades(self, request: web.Request) -> web.Response:
        """The newest, from memory."""
        symbol = self._symbol(request)
        last = symbol.tape.last_id
        found = symbol.tape.between(last - _count(request, 500) + 1, last)
        return web.json_response([_trade(trade, _scale(request)) for trade in found])

    async def historical_trades(self, request: web.Request) -> web.Response:
        """By id, from a database that lags the stream."""
        symbol = self._symbol(request)
        last = symbol.visible_id(now_us(), self.exchange.rest_lag_us)
        count = _count(request, 500)
        first = _integer(request, "fromId")
        first = max(last - count + 1 if first is None else first, symbol.tape.first_id)
        found = symbol.tape.between(first, min(first + count - 1, last))
        return web.json_response([_trade(trade, _scale(request)) for trade in found])

    async def agg_trades(self, request: web.Request) -> web.Response:
        symbol = self._symbol(request)
        tape, count = symbol.tape, _count(request, 500)
        last = symbol.visible_id(now_us(), self.exchange.rest_lag_us)
        from_id, start, end = (
            _integer(request, name) for name in ("fromId", "startTime", "endTime")
        )
        first = tape.first_id
        if from_id is not None:
            first = tape.first_of_agg(from_id)
        elif start is not None:
            first = tape.first_at_or_after(_micros(start))
        if end is not None:
            last = min(last, tape.first_at_or_after(_micros(end) + _scale(request)) - 1)
        if from_id is None and start is None:
            found = list(tape.aggregates(max(first, last - 50 * count), last))[-count:]
        else:
            found = list(tape.aggregates(first, min(last, first + 250 * count)))[:count]
        return web.json_response([_aggregate(item, _scale(request)) for item in found])

    async def klines(self, request: web.Request) -> web.Response:
        symbol = self._symbol(request)
        interval = request.query.get("interval", "")
        if interval not in SECONDS:
            raise Refusal(-1120, "Invalid interval.")
        seconds, count = SECONDS[interval], _count(request, 500)
        start, end = _integer(request, "startTime"), _integer(request, "endTime")
        stop_us = now_us() if end is None else _micros(end) + _scale(request)
        length = seconds * 1_000_000
        if start is None:
            opened = (stop_us - (count - 1) * length) // length * length
        else:
            opened = -(-_micros(start) // length) * length
        first = symbol.tape.first_at_or_after(opened)
        last = symbol.tape.first_at_or_after(min(stop_us, opened + count * length)) - 1
        found = klines(symbol.tape.between(first, last), seconds)[:count]
        return web.json_response([row(kline, _scale(request)) for kline in found])

    # --- /simulator -----------------------------------------------------------------------------

    async def show_faults(self, request: web.Request) -> web.Response:
        return web.json_response(self.exchange.faults.as_dict())

    async def change_faults(self, request: web.Request) -> web.Response:
        try:
            self.exchange.faults.change(await request.json())
        except ValueError as error:
            raise Refusal(-1, str(error)) from error
        return await self.show_faults(request)

    async def cut(self, request: web.Request) -> web.Response:
        return web.json_response({"cut": self.sockets.cut_all()})

    async def truth(self, request: web.Request) -> web.Response:
        """Exact minutes between `start` and `end` (ms): `{"<open ms>": {…}}`."""
        symbol = self._symbol(request)
        start, end = _integer(request, "start") or 0, _integer(request, "end") or 2**53
        first = symbol.tape.first_at_or_after(start * 1000)
        last = symbol.tape.first_at_or_after(end * 1000) - 1
        found = truth.minutes(symbol.tape.between(first, last))
        return web.json_response({str(key): value for key, value in found.items()})

    def _symbol(self, request: web.Request) -> Symbol:
        name = request.query.get("symbol")
        if not name:
            raise Refusal(
                -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            )
        if name not in self.exchange.symbols:
            raise Refusal(-1121, "Invalid symbol.")
        return self.exchange.symbols[name]


def _scale(request: web.Request) -> int:
    return 1 if request.headers.get("X-MBX-TIME-UNIT", "").upper() == "MICROSECOND" else 1000


def _micros(moment: int) -> int:
    """Request times may be in ms or us."""
    return moment if moment >= 10**14 else moment * 1000


def _integer(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise Refusal(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.",
        )
    return int(text)


def _count(request: web.Request, default: int) -> int:
    count = _integer(request, "limit")
    if count is None:
        return default
    if count == 0:
        raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(count, 1000)


def _trade(trade: Trade, scale: int) -> dict[str, object]:
    return {
        "id": trade.id, "price": to_text(trade.price), "qty": to_text(trade.quantity),
        "quoteQty": product_text(trade.price, trade.quantity), "time": trade.time // scale,
        "isBuyerMaker": trade.is_buyer_maker, "isBestMatch": True,
    }  # fmt: skip


def _aggregate(item: AggTrade, scale: int) -> dict[str, object]:
    return {
        "a": item.id, "p": to_text(item.price), "q": to_text(item.quantity), "f": item.first_id,
        "l": item.last_id, "T": item.time // scale, "m": item.is_buyer_maker, "M": True,
    }  # fmt: skip


def _limit(kind: str, interval: str, number: int, limit: int) -> dict[str, object]:
    return {
        "rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit,
    }  # fmt: skip


def _symbol_info(symbol: Symbol) -> dict[str, object]:
    rules = symbol.rules
    return {
        "symbol": rules.symbol, "status": "TRADING", "baseAsset": rules.base,
        "baseAssetPrecision": 8, "quoteAsset": rules.quote, "quotePrecision": 8,
        "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "icebergAllowed": True,
        "ocoAllowed": True, "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": to_text(rules.tick),
             "maxPrice": "1000000.00000000", "tickSize": to_text(rules.tick)},
            {"filterType": "LOT_SIZE", "minQty": to_text(rules.step),
             "maxQty": "9000000.00000000", "stepSize": to_text(rules.step)},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True,
             "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
        ],
        "permissions": [], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }  # fmt: skip
