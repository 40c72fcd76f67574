"""Other people's clients, each loaded by the first test that asks for it: together they take longer
to load than all of the project, and every worker of the suite collects every test.

    clients.ccxt.binance(…), clients.Spot(…)
"""

import importlib
import warnings
from typing import Any

# name -> where it is: a module, or a name in one
PLACES = {
    "ccxt": "ccxt.async_support",
    "ccxt_pro": "ccxt.pro",
    "Spot": "binance_sdk_spot.spot:Spot",
    "DerivativesTradingUsdsFutures": (
        "binance_sdk_derivatives_trading_usds_futures:DerivativesTradingUsdsFutures"
    ),
    "ConfigurationRestAPI": "binance_common.configuration:ConfigurationRestAPI",
    "ConfigurationWebSocketStreams": "binance_common.configuration:ConfigurationWebSocketStreams",
    "BadRequestError": "binance_common.errors:BadRequestError",
    "RateLimitBanError": "binance_common.errors:RateLimitBanError",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"expected one of {', '.join(PLACES)}, was {name}")
    module, _, inner = PLACES[name].partition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, of what they load
        loaded = importlib.import_module(module)
    return getattr(loaded, inner) if inner else loaded
