"""What every request passes: faults, weights with their headers, refusals in Binance's words."""

import asyncio
from collections.abc import Callable, Sequence

from aiohttp import web

from simulator.accounts.refusals import Refusal
from simulator.faults import Active, Faults
from simulator.limits import Refused, Weights
from simulator.rest.control import Control
from simulator.rest.market import Handler, MarketRest

# Longer than any client waits.
HANG_SECONDS = 60.0
UNKNOWN = (
    "Timeout waiting for response from backend server. Send status unknown; execution status "
    "unknown."
)
RESTRICTED = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in "
    "https://www.binance.com/en/terms."
)
ONLY_MARKET_DATA = 1
# faqs/market_data_only.md
MARKET_DATA = ("ping", "time", "exchangeInfo", "depth", "trades", "aggTrades", "klines", "ticker")
SAID = {
    418: "Way too much request weight used; IP banned.",
    429: "Too much request weight used; current limit is 6000 request weight per 1 MINUTE.",
}


class Gate:
    def __init__(
        self,
        faults: Faults,
        markets: Sequence[MarketRest],
        control: Control,
        first_ban_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.faults = faults
        self.control = control
        self._markets = {market.prefix.split("/")[1]: market for market in markets}
        self._weights = {
            head: Weights(market.name, clock, first_ban_seconds)
            for head, market in self._markets.items()
        }

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        head = request.path.strip("/").partition("/")[0]
        is_known = head in self._markets or head in {"sapi", "data"}
        if not is_known or request.match_info.http_exception is not None:
            return await _answer(request, handler)
        self.control.requests[request.path] = self.control.requests.get(request.path, 0) + 1
        wall = self.faults.wall_before(request.url.host or "")
        if wall == ONLY_MARKET_DATA and not is_market_data(request.path):
            return web.Response(status=404)
        if wall > ONLY_MARKET_DATA and head != "data":
            self.faults.counts["wall"] += 1
            return web.json_response({"code": 0, "msg": RESTRICTED}, status=wall)
        fault = self.faults.for_request(request.path)
        if fault is not None and fault.kind == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if fault is not None and fault.kind == "status":
            return _broken(fault)
        if head not in self._weights:  # /sapi has budgets of its own, the archive none
            return await _answer(request, handler)
        weights = self._weights[head]
        try:
            refused = weights.take(self._markets[head].weight(request))
        except Refusal as error:
            return _said(error)
        answer = _refused(refused) if refused else await self._obey(request, handler)
        answer.headers["X-MBX-USED-WEIGHT"] = str(weights.used)
        answer.headers["X-MBX-USED-WEIGHT-1M"] = str(weights.used)
        return answer

    async def _obey(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A change may be struck before it is taken, or after."""
        fault = None
        if request.method != "GET" and not request.path.endswith("/listenKey"):
            fault = self.faults.for_change(request.method, request.path)
        if fault is None:
            return await _answer(request, handler)
        if fault.arguments["when"] == "after":
            answer = await _answer(request, handler)
            return await _struck(request, fault) or answer
        return await _struck(request, fault) or await _answer(request, handler)


def is_market_data(path: str) -> bool:
    return path.startswith(tuple(f"/api/v3/{name}" for name in MARKET_DATA))


async def _struck(request: web.Request, fault: Active) -> web.StreamResponse | None:
    """What comes instead of the answer; None: only late."""
    what = fault.arguments["what"]
    if what == "delay":
        await asyncio.sleep(fault.number("ms") / 1000)
        return None
    if what == "hang":
        await asyncio.sleep(HANG_SECONDS)
    if what in {"hang", "cut"}:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)
    body = {"code": -int(fault.number("error")), "msg": UNKNOWN}
    return web.json_response(body, status=int(fault.number("code")))


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as error:
        return _said(error)


def _said(error: Refusal) -> web.Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    body = {"code": error.code, "msg": str(error)}
    return web.json_response(body, status=error.status, headers=headers)


def _refused(refused: Refused) -> web.Response:
    headers = {"Retry-After": str(refused.retry_after)}
    body = {"code": -1003, "msg": refused.message}
    return web.json_response(body, status=refused.status, headers=headers)


def _broken(fault: Active) -> web.Response:
    """A status as the exchange, its firewall or its load balancer would answer it."""
    code, retry_after = int(fault.number("code")), int(fault.number("retry_after"))
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    if code in SAID:
        body = {"code": -1003, "msg": SAID[code]}
        return web.json_response(body, status=code, headers=headers)
    text = f"<html><body><h1>{code}</h1></body></html>"
    return web.Response(text=text, status=code, headers=headers, content_type="text/html")
