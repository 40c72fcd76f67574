"""The request weights of this address: one budget a part of the exchange's REST."""

from typing import Any

from django.conf import settings

from market.binance.governor import Governor, Limit

WEIGHTS_A_MINUTE = {"api": 6000, "sapi": 12_000, "fapi": 2400}


def hosts() -> dict[str, str]:
    """What names each budget in Redis, by the first part of a path."""
    return {
        "api": settings.BINANCE_SPOT_API_URL,
        "sapi": f"{settings.BINANCE_SPOT_API_URL}/sapi",
        "fapi": settings.BINANCE_FUTURES_API_URL + "/fapi",
    }


def governors(client: Any) -> dict[str, Governor]:
    """The budgets of this address, by the first part of a path."""
    return {
        part: Governor(client, Limit(host, WEIGHTS_A_MINUTE[part]), settings.WEIGHT_BUDGET_PCT)
        for part, host in hosts().items()
    }
