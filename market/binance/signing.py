"""python-binance's client as the one who signs: it encodes first, signs what it encoded (the rule
of 2026-01-15), and hands out its own answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote, urlencode

import aiohttp
import yarl
from binance.async_client import AsyncClient

from lib.secret import Secret
from market.binance.errors import BadKey

TIMEOUT_SECONDS = 10.0
RECV_WINDOW_MS = 5000
KeyKind = Literal["hmac", "rsa", "ed25519"]


@dataclass(frozen=True)
class Credentials:
    """`secret` is the HMAC secret, or a private key in PEM."""

    kind: KeyKind
    api_key: Secret
    secret: Secret


def no_credentials() -> Credentials:
    """For `AccountRest` where only `read_public` is wanted."""
    return Credentials("hmac", Secret(""), Secret(""))


@dataclass(frozen=True)
class Addresses:
    """Base URLs without a path."""

    spot: str
    futures: str
    # where spot's market data are served while the wall stands; empty: nowhere
    data: str = ""


class SigningClient(AsyncClient):  # type: ignore[misc]
    def __init__(self, addresses: Addresses, credentials: Credentials) -> None:
        self.API_URL = self.API_TESTNET_URL = f"{addresses.spot}/api"
        self.MARGIN_API_URL = f"{addresses.spot}/sapi"
        self.FUTURES_URL = self.FUTURES_TESTNET_URL = f"{addresses.futures}/fapi"
        # when the last call began and ended, epoch s
        self.called = (0.0, 0.0)
        is_hmac = credentials.kind == "hmac"
        secret = credentials.secret.reveal().decode()
        super().__init__(
            credentials.api_key.reveal().decode(),
            secret if is_hmac else None,
            private_key=None if is_hmac else secret,
            session_params={"timeout": aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)},
        )

    async def _request(
        self, method: str, uri: str, signed: bool, force_params: bool = False, **kwargs: Any
    ) -> tuple[int, Mapping[str, str], bytes]:
        given = {**(kwargs.get("params") or {}), **(kwargs.get("data") or {})}
        params = {name: _text(value) for name, value in given.items() if value is not None}
        if signed:
            params["recvWindow"] = str(RECV_WINDOW_MS)
            # an order brings its own, written down before it is sent
            now_ms = int(time.time() * 1000 + self.timestamp_offset)
            params.setdefault("timestamp", str(now_ms))
        text = urlencode(params, quote_via=quote)
        if signed:
            text += f"&signature={quote(self.signed(text), safe='')}"
        is_query = method in {"get", "delete"}
        began = time.time()
        async with self.session.request(
            method.upper(),
            # as it was signed: not encoded a second time
            yarl.URL(f"{uri}?{text}" if is_query and text else uri, encoded=True),
            data=None if is_query else text,
            headers={} if is_query else {"Content-Type": "application/x-www-form-urlencoded"},
            allow_redirects=False,
        ) as response:
            body = await response.read()
            self.called = began, time.time()
            return response.status, response.headers, body

    def signed(self, text: str) -> str:
        if not self.PRIVATE_KEY:
            sign = self._hmac_signature
        else:
            sign = self._rsa_signature if self._is_rsa else self._ed25519_signature
        try:
            return str(sign(text))
        except (ValueError, TypeError, NotImplementedError) as error:  # it loads and cannot sign
            raise BadKey(-1022, "this private key cannot sign") from error


def _text(value: object) -> str:
    """As Binance wants it: no exponents. Raises ValueError for what has no exact text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if not isinstance(value, str | int):
        raise ValueError(f"expected text, an integer or a Decimal, was {value!r}")
    return str(value)
