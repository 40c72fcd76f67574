"""`/fapi/v1`: public market data of USD-M futures. Source: developers.binance.com (2026-05-28) and
the docstrings of binance-sdk-derivatives-trading-usds-futures."""

from aiohttp import web

from simulator.accounts.refusals import Refusal
from simulator.amounts import to_text
from simulator.klines import DAY_US
from simulator.listing import USDM
from simulator.rest import shapes
from simulator.rest.market import TRADES, Handler, MarketRest
from simulator.rest.questions import count, integer, moment, one_symbol, symbols
from simulator.sources.events import Mark
from simulator.sources.generator import FUNDING_EVERY_US, funding_rate
from simulator.symbol import Symbol
from simulator.tape import Trade

HOUR_US = 3_600_000_000
MONTH_US = 30 * DAY_US
DEPTHS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
WEIGHTS = {
    "trades": 5,
    "historicalTrades": 200,
    "aggTrades": 20,
    "fundingRate": 0,
    "account": 5,
    "balance": 5,
    "positionRisk": 5,
    "userTrades": 5,
    "income": 30,
    "allOrders": 5,
    "trade/asyn": 1000,
    "income/asyn": 1000,
    "trade/asyn/id": 10,
    "income/asyn/id": 10,
}
KLINE_WEIGHTS = ((99, 1), (499, 2), (1000, 5), (1500, 10))
# the path's name -> weight for one symbol, for all
TICKER_WEIGHTS = {"24hr": (1, 40), "price": (1, 2), "bookTicker": (2, 5)}


class UsdmRest(MarketRest):
    prefix = "/fapi/v1"
    name = USDM
    klines_at_most = 1500

    def paths(self) -> dict[str, Handler]:
        return {
            **super().paths(),
            "continuousKlines": self.continuous_klines,
            "premiumIndex": self.premium_index,
            "fundingRate": self.funding_rates,
            "fundingInfo": self.funding_info,
            "openInterest": self.open_interest,
        }

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.get("/fapi/v2/ticker/price", self.price)]

    def rate_limits(self) -> list[shapes.Body]:
        return [
            *super().rate_limits(),
            shapes.limit("ORDERS", "MINUTE", 1, 1200),
            shapes.limit("ORDERS", "SECOND", 10, 300),
        ]

    def more_info(self, listed: list[Symbol]) -> shapes.Body:
        assets = sorted({symbol.rules.quote for symbol in listed})
        return {
            "futuresType": "U_MARGINED",
            "assets": [
                {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
                for asset in assets
            ],
        }

    def weight(self, request: web.Request) -> int:
        path = request.path.removeprefix("/fapi/").partition("/")[2]
        if path == "depth":
            return DEPTHS.get(integer(request, "limit") or 500, 20)
        if path in {"klines", "continuousKlines"}:
            limit = integer(request, "limit") or 500
            return next((weight for most, weight in KLINE_WEIGHTS if limit <= most), 10)
        if path.startswith("ticker/"):
            one, everything = TICKER_WEIGHTS[path.removeprefix("ticker/")]
            return one if "symbol" in request.query else everything
        if path == "premiumIndex":
            return 1 if "symbol" in request.query else 10
        if path in {"openOrders", "openAlgoOrders"}:
            return 1 if "symbol" in request.query else 40
        return WEIGHTS.get(path, 1)

    def depth_limit(self, request: web.Request) -> int:
        limit = integer(request, "limit") or 500
        if limit not in DEPTHS:
            known = ", ".join(map(str, DEPTHS))
            raise Refusal(-4021, f"{limit} is not valid depth limit: expected one of {known}.")
        return limit

    async def historical_trades(self, request: web.Request) -> web.Response:
        if not request.headers.get("X-MBX-APIKEY"):
            raise Refusal(-2014, "API-key format invalid.", 401)
        return await super().historical_trades(request)

    def _span(self, request: web.Request) -> tuple[int | None, int | None]:
        start, end = super()._span(request)
        if "fromId" in request.query and (start is not None or end is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        if start is not None and end is not None and end - start > HOUR_US:
            raise Refusal(-4188, "The time between startTime and endTime must be less than 1 hour.")
        if start is not None and start < self.exchange.now() - 2 * DAY_US:
            raise Refusal(-4166, "Search window is restricted to recent 2 days only.")
        return start, end

    def oldest_told(self, symbol: Symbol, of: str) -> int:
        since = self.exchange.now() - (MONTH_US if of == TRADES else 2 * DAY_US)
        return max(symbol.tape.oldest_id, symbol.tape.first_at_or_after(since))

    async def klines(self, request: web.Request) -> web.Response:
        if request.query.get("interval") == "1s":  # continuousKlines has them
            raise Refusal(-1120, "Invalid interval.")
        return await super().klines(request)

    async def continuous_klines(self, request: web.Request) -> web.Response:
        pair = request.query.get("pair", "")
        if request.query.get("contractType") != "PERPETUAL" or pair not in self.market.listed:
            raise Refusal(-1121, "Invalid symbol.")
        return await self._klines(self.market.listed[pair].symbol, request)

    async def premium_index(self, request: web.Request) -> web.Response:
        listed, is_list = symbols(request, self.market)
        now = self.exchange.now()
        rows = [_premium(s, mark, s.time(now)) for s in listed if (mark := s.mark(now))]
        return web.json_response(rows if is_list else rows[0] if rows else {})

    async def funding_rates(self, request: web.Request) -> web.Response:
        """Every eight hours; what the mark price stream announced is what was settled."""
        listed, _ = symbols(request, self.market)
        wanted, now = count(request, 100, 1000), self.exchange.now()
        start, end = moment(request, "startTime"), moment(request, "endTime")
        newest = min(now, now if end is None else end) // FUNDING_EVERY_US
        oldest = newest - wanted + 1 if start is None else -(-start // FUNDING_EVERY_US)
        numbers = range(oldest, newest + 1)[:wanted]
        return web.json_response([_funding(s, number) for number in numbers for s in listed])

    async def funding_info(self, request: web.Request) -> web.Response:
        return web.json_response([])

    async def open_interest(self, request: web.Request) -> web.Response:
        symbol = one_symbol(request, self.market)
        now = self.exchange.now()
        statistic = symbol.statistic(DAY_US, now)
        return web.json_response(
            {
                "symbol": symbol.rules.symbol,
                "openInterest": symbol.rules.quantity_text(statistic.base if statistic else 0),
                "time": now // 1000,
            }
        )

    def last_price(self, symbol: Symbol, last: Trade) -> shapes.Body:
        return {**super().last_price(symbol, last), "time": last.time // 1000}


def _premium(symbol: Symbol, mark: Mark, now_us: int) -> shapes.Body:
    return {
        "symbol": symbol.rules.symbol,
        "markPrice": to_text(mark.price),
        "indexPrice": to_text(mark.index_price),
        "estimatedSettlePrice": to_text(mark.settle),
        "lastFundingRate": to_text(mark.rate),
        "interestRate": "0.00010000",
        "nextFundingTime": mark.next_funding // 1000,
        "time": now_us // 1000,
    }


def _funding(symbol: Symbol, number: int) -> shapes.Body:
    time = number * FUNDING_EVERY_US
    trade_id = symbol.tape.first_at_or_after(time)
    is_known = symbol.tape.first_id < trade_id <= symbol.tape.last_id
    price = symbol.tape.at(trade_id).price if is_known else symbol.rules.price
    return {
        "symbol": symbol.rules.symbol,
        "fundingTime": time // 1000,
        "fundingRate": to_text(funding_rate(symbol.rules, number)),
        "markPrice": to_text(price),
    }
