"""`/api/v3`: public market data of spot. Source: binance-spot-api-docs rest-api.md (2026-07-21)."""

from aiohttp import web

from simulator.accounts.refusals import Refusal
from simulator.amounts import UNIT, ratio_text
from simulator.klines import DAY_US as CALENDAR_DAY_US
from simulator.listing import SPOT
from simulator.rest import shapes
from simulator.rest.market import Handler, MarketRest
from simulator.rest.questions import integer, one_symbol, scale, symbols

MINUTE_US = 60_000_000
UNITS_US = {"m": MINUTE_US, "h": 60 * MINUTE_US, "d": 1440 * MINUTE_US}
LONGEST = {"m": 59, "h": 23, "d": 7}
WEIGHTS = {
    "exchangeInfo": 20,
    "trades": 25,
    "historicalTrades": 25,
    "historicalBlockTrades": 25,
    "aggTrades": 4,
    "klines": 2,
    "uiKlines": 2,
    "avgPrice": 2,
    "account": 20,
    "myTrades": 20,
    "allOrders": 20,
    "order/amendments": 4,
    "order/amend/keepPriority": 4,
    "rateLimit/order": 40,
    "account/commission": 20,
    "myFilters": 40,
    "myPreventedMatches": 20,
}
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))


class SpotRest(MarketRest):
    prefix = "/api/v3"
    name = SPOT

    def paths(self) -> dict[str, Handler]:
        return {
            **super().paths(),
            "uiKlines": self.klines,
            "avgPrice": self.average,
            "historicalBlockTrades": self.block_trades,
            "ticker": self.rolling,
            "ticker/tradingDay": self.trading_day,
        }

    def rate_limits(self) -> list[shapes.Body]:
        return [
            *super().rate_limits(),
            shapes.limit("ORDERS", "SECOND", 10, 50),
            shapes.limit("ORDERS", "DAY", 1, 160_000),
            shapes.limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
        ]

    def weight(self, request: web.Request) -> int:
        path = request.path.removeprefix(f"{self.prefix}/")
        if path == "depth":
            limit = integer(request, "limit") or 100
            return next((weight for most, weight in DEPTH_WEIGHTS if limit <= most), 250)
        if path.startswith("ticker"):
            is_one = "symbol" in request.query
            call = 1 if is_one else request.query.get("symbols", "").count(",") + 1
            call = call if is_one or "symbols" in request.query else 10_000
            if path in {"ticker", "ticker/tradingDay"}:
                return min(4 * call, 200)
            if path == "ticker/24hr":
                return 2 if call <= 20 else 40 if call <= 100 else 80
            return 2 if is_one else 4
        if path == "openOrders":
            return 6 if "symbol" in request.query else 80
        if path == "myTrades" and "orderId" in request.query:
            return 5
        if path == "order":
            return 4 if request.method == "GET" else 0
        return WEIGHTS.get(path, 1)

    async def average(self, request: web.Request) -> web.Response:
        symbol = one_symbol(request, self.market)
        statistic = symbol.statistic(5 * MINUTE_US, self.exchange.now())
        if statistic is None:
            raise Refusal(-1000, "An unknown error occurred while processing the request.", 500)
        return web.json_response(
            {
                "mins": 5,
                "price": ratio_text(statistic.quote, statistic.base * UNIT, 8),
                "closeTime": statistic.last.time // scale(request),
            }
        )

    async def rolling(self, request: web.Request) -> web.Response:
        """`windowSize`: 1m…59m, 1h…23h, 1d…7d."""
        if not {"symbol", "symbols"} & set(request.query):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        text = request.query.get("windowSize", "1d")
        number, unit = text[:-1], text[-1:]
        is_number = number.isascii() and number.isdigit() and len(number) < 4
        if unit not in LONGEST or not is_number or not 1 <= int(number) <= LONGEST[unit]:
            raise Refusal(-1138, "Invalid windowSize.")
        return self._statistics(request, int(number) * UNITS_US[unit])

    async def trading_day(self, request: web.Request) -> web.Response:
        now = self.exchange.now()
        return self._statistics(request, now % CALENDAR_DAY_US + 1)

    async def block_trades(self, request: web.Request) -> web.Response:
        """None happen here."""
        one_symbol(request, self.market)
        if integer(request, "fromId") is None:
            raise Refusal(-1102, "Mandatory parameter 'fromId' was not sent, was empty/null.")
        return web.json_response([])

    def _statistics(self, request: web.Request, length_us: int) -> web.Response:
        listed, is_list = symbols(request, self.market)
        now = self.exchange.now()
        kind = "MINI" if request.query.get("type") == "MINI" else "ROLLING"
        rows = []
        for symbol in listed:
            window = symbol.window(length_us, self.exchange.now())
            rows.append(shapes.day(symbol, window, now, scale(request), kind))
        return web.json_response(rows if is_list else rows[0])
