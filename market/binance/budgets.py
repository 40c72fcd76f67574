"""The request weights of this address: one budget a part of the exchange's REST."""

from typing import Any

from django.conf import settings

from market.binance.governor import Governor, Limit
from market.binance.rest import PublicRest, SpotRest, UsdmRest

WEIGHTS_A_MINUTE = {"api": 6000, "sapi": 12_000, "fapi": 2400, "data": 6000}


def hosts() -> dict[str, str]:
    """What names each budget in Redis, by the first part of a path."""
    addresses = {
        "api": settings.BINANCE_SPOT_API_URL,
        "sapi": f"{settings.BINANCE_SPOT_API_URL}/sapi",
        "fapi": settings.BINANCE_FUTURES_API_URL + "/fapi",
    }
    if settings.BINANCE_SPOT_DATA_API_URL:
        addresses["data"] = settings.BINANCE_SPOT_DATA_API_URL
    return addresses


def public_rest(market: str, client: Any) -> PublicRest:
    """A market's public data; spot's from where they are served while the wall stands."""
    budgets = governors(client)
    if market == "usdm":
        return UsdmRest(settings.BINANCE_FUTURES_API_URL, budgets["fapi"])
    address = settings.BINANCE_SPOT_DATA_API_URL
    elsewhere = SpotRest(address, budgets["data"]) if address else None
    return SpotRest(settings.BINANCE_SPOT_API_URL, budgets["api"], elsewhere)


def governors(client: Any) -> dict[str, Governor]:
    """The budgets of this address, by the first part of a path."""
    return {
        part: Governor(client, Limit(host, WEIGHTS_A_MINUTE[part]), settings.WEIGHT_BUDGET_PCT)
        for part, host in hosts().items()
    }
