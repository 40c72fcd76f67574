"""What a request asks, and refusals in the exchange's words."""

import json

from aiohttp import web

from simulator.accounts.refusals import Refusal
from simulator.exchange import Market
from simulator.symbol import Symbol

YEAR_2100_US = 4_102_444_800_000_000


def scale(request: web.Request) -> int:
    """1 where the caller asked for microseconds (spot only), else 1000."""
    is_micro = request.headers.get("X-MBX-TIME-UNIT", "").upper() == "MICROSECOND"
    return 1 if is_micro and request.path.startswith("/api/") else 1000


def micros(moment: int) -> int:
    """Request times may be in ms or us."""
    return moment if moment >= 10**14 else moment * 1000


def integer(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        raise Refusal(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.",
        )
    return int(text)


def moment(request: web.Request, name: str) -> int | None:
    """A time parameter in microseconds."""
    value = integer(request, name)
    return None if value is None else min(micros(value), YEAR_2100_US)


def count(request: web.Request, default: int = 500, most: int = 1000) -> int:
    number = integer(request, "limit")
    if number is None:
        return default
    if number == 0:
        raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(number, most)


def one_symbol(request: web.Request, market: Market) -> Symbol:
    name = request.query.get("symbol")
    if not name:
        raise Refusal(
            -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
        )
    return _find(name, market)


def symbols(request: web.Request, market: Market) -> tuple[list[Symbol], bool]:
    """`symbol`, `symbols` or everything, and whether the answer is a list."""
    if "symbol" in request.query and "symbols" in request.query:
        raise Refusal(-1101, "Too many parameters; expected '1' and received '2'.")
    if "symbol" in request.query:
        return [one_symbol(request, market)], False
    if "symbols" not in request.query:
        return list(market.symbols), True
    try:
        names = json.loads(request.query["symbols"])
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refusal(-1100, "Illegal characters found in parameter 'symbols'.")
    return [_find(name, market) for name in names], True


def _find(name: str, market: Market) -> Symbol:
    if name not in market.listed:
        raise Refusal(-1121, "Invalid symbol.")
    return market.listed[name].symbol
