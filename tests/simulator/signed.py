"""An exchange with accounts, and requests that are signed."""

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
import yarl

from simulator.accounts.records import USDM
from simulator.exchange import Exchange
from simulator.faults import Faults
from tests.conftest import RunningSimulator, traded
from tests.simulator.conftest import post

ALL = {"enableSpotAndMarginTrading": True}
NOW_US = 1_790_035_200_000_000


def exchange_with_everything() -> Exchange:
    exchange = Exchange(Faults(), clock=lambda: NOW_US)
    for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"):
        exchange.list_generated(name, None, seed=1, pace=1.0)
    for name in ("BTCUSDT", "ETHUSDT"):
        exchange.list_generated(name, None, seed=1, pace=1.0, market=USDM)
    return exchange


async def opened(simulator: RunningSimulator, **more: Any) -> Any:
    asked = {"balances": {"USDT": "100000", "BTC": "3"}, "permissions": ALL}
    account = await post(simulator, "/simulator/accounts", **{**asked, **more})
    for market in simulator.exchange.markets:
        await traded(simulator, market=market)
    return account


async def signed(
    simulator: RunningSimulator, account: Any, method: str, path: str, **params: Any
) -> tuple[int, Any]:
    query = urlencode({**params, "timestamp": int(time.time() * 1000)})
    secret = account["secretKey"].encode()
    query += "&signature=" + hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
    async with (
        aiohttp.ClientSession(headers={"X-MBX-APIKEY": account["apiKey"]}) as session,
        session.request(
            method, yarl.URL(f"{simulator.http}{path}?{query}", encoded=True)
        ) as answer,
    ):
        return answer.status, await answer.json()


ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
