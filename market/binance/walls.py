"""The exchange's wall: 451 says that it does not serve this place, 403 again and again that its
firewall does not let this machine through. Spot's market data are served elsewhere all the same.

Source: binance-spot-api-docs faqs/market_data_only.md (2026); `historicalTrades` is not among them.
"""

SERVED_ELSEWHERE = frozenset(
    {
        "aggTrades",
        "avgPrice",
        "depth",
        "exchangeInfo",
        "klines",
        "ping",
        "ticker",
        "ticker/24hr",
        "ticker/bookTicker",
        "ticker/price",
        "ticker/tradingDay",
        "time",
        "trades",
        "uiKlines",
    }
)
SPOT = "/api/v3/"


def is_served_elsewhere(path: str) -> bool:
    """Of a path such as `/api/v3/klines`."""
    return path.startswith(SPOT) and path.removeprefix(SPOT) in SERVED_ELSEWHERE


def wall_key(host: str) -> str:
    """Set in Redis while a host's wall stands."""
    return f"tl:governor:{{{host}}}:wall"
