"""python-binance's client as plain transport: our address, a time limit, answers as they came."""

from collections.abc import Mapping

import aiohttp
from binance.async_client import AsyncClient

TIMEOUT_SECONDS = 10.0


class Transport(AsyncClient):  # type: ignore[misc]
    """AsyncClient with our address that hands out status, headers and body as they came."""

    def __init__(self, base_url: str) -> None:
        self.API_URL = f"{base_url}/api"
        self.API_TESTNET_URL = self.API_URL
        super().__init__(
            time_unit="MICROSECOND",
            session_params={"timeout": aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)},
        )

    async def _handle_response(
        self, response: aiohttp.ClientResponse
    ) -> tuple[int, Mapping[str, str], bytes]:
        return response.status, response.headers, await response.read()
