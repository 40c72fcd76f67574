"""From an event of the exchange to an open page: orders that somebody places elsewhere (straight at
the simulator, with the account's own key), and how long after the exchange took each the topic
`account` tells it. Reference in the same run: the exchange's own answer to who placed it.

    make run, then: python -m benchmarks.order_events http://127.0.0.1:8000 TOKEN

The token is one of the user demo's.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import statistics
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

COUNT, WARM = 60, 5
PAUSE_SECONDS = 0.25
SYMBOL, FAR_BELOW = "BTCUSDT", "20000"


class Exchange:
    """The simulator, asked with the key of the demo's account."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self.address = address
        self._key: dict[str, str] = {}

    async def open(self) -> None:
        async with self._session.get(f"{self.address}/simulator/accounts") as answer:
            known = await answer.json()
        account = next(one for one in known if one["name"].startswith("demo of") and one["fills"])
        self._key = account["keys"][0]
        may = {"permissions": {"enableSpotAndMarginTrading": True}}
        path = f"{self.address}/simulator/keys/{self._key['apiKey']}"
        await self._session.post(path, json=may)

    async def send(self, method: str, **asked: object) -> Any:
        words = urlencode({"symbol": SYMBOL, **asked, "timestamp": int(time.time() * 1000)})
        secret = self._key["secretKey"].encode()
        signature = hmac.new(secret, words.encode(), hashlib.sha256).hexdigest()
        path = f"{self.address}/api/v3/order?{words}&signature={signature}"
        headers = {"X-MBX-APIKEY": self._key["apiKey"]}
        async with self._session.request(method, path, headers=headers) as answer:
            body = await answer.json()
            if answer.status != 200:
                raise SystemExit(f"expected the exchange to take the order, was {body}")
            return body


async def page(socket: ClientConnection, heard: dict[int, float]) -> None:
    """Order id -> when the topic `account` told it."""
    async for frame in socket:
        message = json.loads(frame)
        if "seq" in message and message["seq"] % 10 == 0:
            await socket.send(json.dumps({"ack": message["seq"]}))
        data = message.get("data") or {}
        if data.get("kind") == "order" and data.get("status") == "NEW":
            heard.setdefault(int(data["order_id"]), time.time())


async def measure(address: str, token: str, simulator: str) -> None:
    own: dict[int, float] = {}
    told: dict[int, float] = {}
    taken: dict[int, float] = {}
    live = address.replace("http", "ws", 1)
    headers = {"Authorization": f"Token {token}"}
    async with (
        aiohttp.ClientSession() as session,
        connect(f"{live}/ws/live/", additional_headers=headers) as socket,
    ):
        exchange = Exchange(session, simulator)
        await exchange.open()
        await socket.send(json.dumps({"subscribe": ["account"]}))
        listening = asyncio.create_task(page(socket, told))
        await asyncio.sleep(1)
        for number in range(WARM + COUNT):
            words = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
            answer = await exchange.send("POST", **words, price=FAR_BELOW, quantity="0.001")
            if number >= WARM:
                own[answer["orderId"]] = time.time()
                taken[answer["orderId"]] = answer["transactTime"] / 1000
            await asyncio.sleep(PAUSE_SECONDS)
            await exchange.send("DELETE", orderId=answer["orderId"])
            await asyncio.sleep(PAUSE_SECONDS)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    report("the exchange's own answer", own, taken)
    report("an open page (topic account)", told, taken)


def report(name: str, heard: dict[int, float], taken: dict[int, float]) -> None:
    ages = [(heard[order] - at) * 1000 for order, at in taken.items() if order in heard]
    if len(ages) < 2:
        print(f"{name:32} heard {len(ages)} of {len(taken)}")
        return
    p95 = statistics.quantiles(ages, n=20)[-1]
    line = f"p50 {statistics.median(ages):6.1f} ms  p95 {p95:6.1f} ms"
    print(f"{name:32} {line}  ({len(ages)} of {len(taken)})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("token")
    parser.add_argument("--simulator", default="", help="its address; without: the next port")
    wanted = parser.parse_args()
    place = urlsplit(wanted.address)
    simulator = wanted.simulator or f"http://{place.hostname}:{(place.port or 80) + 1}"
    asyncio.run(measure(wanted.address.rstrip("/"), wanted.token, simulator))


if __name__ == "__main__":
    main()
