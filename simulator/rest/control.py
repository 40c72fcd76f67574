"""`/simulator/…`: faults, the exact truth, and what is going on."""

import asyncio

from aiohttp import web

from simulator import truth
from simulator.accounts.refusals import Refusal
from simulator.exchange import Exchange
from simulator.faults import ARGUMENTS
from simulator.injector import Injector
from simulator.listing import SPOT
from simulator.rest.questions import integer, micros, one_symbol
from simulator.sockets import Sockets
from simulator.sources.generator import Generated

# Faster than any machine that this was tried on can make orders.
MOST_TIMES = 1000


class Control:
    def __init__(self, exchange: Exchange, sockets: Sockets, injector: Injector) -> None:
        self.exchange = exchange
        self.sockets = sockets
        self.injector = injector
        self.requests: dict[str, int] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/simulator/faults", self.show_faults),
            web.post("/simulator/faults", self.change_faults),
            web.post("/simulator/faults/{kind}", self.start_fault),
            web.post("/simulator/cut", self.cut),
            web.post("/simulator/pace", self.change_pace),
            web.get("/simulator/truth", self.truth),
            web.get("/simulator/status", self.status),
        ]

    async def show_faults(self, request: web.Request) -> web.Response:
        return web.json_response({**self.exchange.faults.as_dict(), "kinds": ARGUMENTS})

    async def change_faults(self, request: web.Request) -> web.Response:
        """Rates that stand for good: `{"drop": 0.01}`."""
        try:
            self.exchange.faults.change(await _body(request))
        except ValueError as error:
            raise Refusal(-1, str(error)) from error
        return await self.show_faults(request)

    async def start_fault(self, request: web.Request) -> web.Response:
        """One fault of a kind: `{"stream": "btcusdt@trade", "seconds": 5}`."""
        try:
            begun = self.injector.inject(request.match_info["kind"], await _body(request))
        except ValueError as error:
            raise Refusal(-1, str(error)) from error
        return web.json_response(begun)

    async def cut(self, request: web.Request) -> web.Response:
        begun = self.injector.inject("cut", {})
        return web.json_response({"cut": begun["connections"]})

    async def change_pace(self, request: web.Request) -> web.Response:
        """`{"times": 24}`: so many times as many orders on each made-up market as usual, until it
        is told again. Recordings keep their own pace. Answers how many markets heard it."""
        times = (await _body(request)).get("times")
        is_number = isinstance(times, int | float) and not isinstance(times, bool)
        if not is_number or not 0 < (pace := float(str(times))) <= MOST_TIMES:
            raise Refusal(-1, f"expected times above 0 and up to {MOST_TIMES}, was {times!r}")
        heard = 0
        for market in self.exchange.markets.values():
            for symbol in market.symbols:
                if isinstance(symbol.source, Generated):
                    symbol.source.hurry = pace
                    heard += 1
        return web.json_response({"times": times, "markets": heard})

    async def truth(self, request: web.Request) -> web.Response:
        """Exact bars of `seconds` (60) between `start` and `end` (ms): `{"<open ms>": {…}}`; of
        aggregates on futures unless `of=trades`. Without `start` from the bar on in which the first
        live trade lies."""
        name = request.query.get("market", SPOT)
        if name not in self.exchange.markets:
            raise Refusal(-1, f"expected market spot or usdm, was {name}")
        market = self.exchange.markets[name]
        symbol = one_symbol(request, market)
        start, end = integer(request, "start"), integer(request, "end") or 2**53
        tape, seconds = symbol.tape, integer(request, "seconds") or 60
        since = 0 if start is None else micros(start)
        if start is None and len(tape):
            since = tape.at(tape.first_id).time // (seconds * 1_000_000) * seconds * 1_000_000
        first = tape.first_at_or_after(since) if len(tape) else tape.first_id
        last = symbol.tape.first_at_or_after(micros(end)) - 1
        rows = truth.rows(symbol.tape, first, last, request.query.get("of", ""), name)
        tick_us = 1 if name == SPOT else 1000
        bars = await asyncio.to_thread(truth.bars, rows, seconds, tick_us)
        return web.json_response({str(key): value for key, value in bars.items()})

    async def status(self, request: web.Request) -> web.Response:
        """Connections, symbols and how often each path was asked."""
        return web.json_response(
            {
                "now": self.exchange.now() // 1000,
                "connections": [
                    {"streams": sorted(item.streams), "category": item.category}
                    for item in self.sockets.connections
                ],
                "symbols": {
                    f"{market.name}:{symbol.rules.symbol}": {
                        "first_id": symbol.tape.first_id,
                        "last_id": symbol.tape.last_id,
                    }
                    for market in self.exchange.markets.values()
                    for symbol in market.symbols
                },
                "requests": self.requests,
            }
        )


async def _body(request: web.Request) -> dict[str, object]:
    if not request.can_read_body:
        return {}
    try:
        body = await request.json()
    except RecursionError as error:
        raise ValueError("expected a flat JSON object") from error
    if not isinstance(body, dict):
        raise ValueError("expected a JSON object")
    return body
