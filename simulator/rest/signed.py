"""Who asks: API key, signature, clock and permissions of a request.

The signature is over the query string and the body as they were sent, percent-encoded before they
were signed (the rule of 2026-01-15). Source: binance-spot-api-docs rest-api.md, CHANGELOG.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.keys import is_signed
from simulator.accounts.records import SPOT, USDM, Account, Key
from simulator.accounts.refusals import Refusal
from simulator.amounts import to_units
from simulator.limits import OrderCount
from simulator.rest.questions import micros, scale

# What has to be percent-encoded: everything that RFC 3986 does not allow in a query.
UNENCODED = re.compile(rb"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]")
AMOUNT = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
LONGEST_WINDOW_MS = 60_000
AHEAD_MS = 1000
# market -> (name as in the header, limit, seconds)
ORDER_LIMITS = {
    SPOT: (("10S", 50, 10), ("1D", 160_000, 86_400)),
    USDM: (("10S", 300, 10), ("1M", 1200, 60)),
}


@dataclass
class SignedCall:
    """A request of a known account; `params` are decoded."""

    account: Account
    key: Key
    params: dict[str, str]
    scale: int

    def text(self, name: str, default: str | None = None) -> str:
        value = self.params.get(name, default)
        if value is None or value == "":
            raise missing(name)
        return value

    def integer(self, name: str) -> int | None:
        value = self.params.get(name)
        if value is None:
            return None
        if not value.isascii() or not value.isdigit() or len(value) > 20:
            raise Refusal(
                -1100,
                f"Illegal characters found in parameter '{name}'; legal range is "
                "'^[0-9]{1,20}$'.",
            )
        return int(value)

    def moment_ms(self, name: str) -> int | None:
        value = self.integer(name)
        return None if value is None else micros(value) // 1000

    def amount(self, name: str) -> int:
        """In units of 1e-8; 0 when it is not given."""
        value = self.params.get(name, "0")
        if not AMOUNT.fullmatch(value):
            raise Refusal(-1100, f"Illegal characters found in parameter '{name}'.")
        if len(value.partition(".")[2].rstrip("0")) > 8:
            raise Refusal(-1111, "Precision is over the maximum defined for this asset.")
        return to_units(value)

    def flag(self, name: str) -> bool:
        return self.params.get(name, "false").lower() == "true"

    def count(self, default: int = 500, most: int = 1000) -> int:
        number = self.integer("limit")
        return default if not number else min(number, most)


Handler = Callable[[SignedCall], Awaitable[web.StreamResponse] | web.StreamResponse]


class Door:
    """Checks requests, and counts orders."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self._orders: dict[tuple[int, str], dict[str, OrderCount]] = {}

    def signed(
        self, handler: Handler, permission: str = "enableReading"
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler for a known account with a right signature and a permission."""

        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            query = request.raw_path.partition("?")[2].encode()
            call = self.check(request, query, body, permission)
            response = handler(call)
            return response if isinstance(response, web.StreamResponse) else await response

        return answer

    def keyed(
        self, handler: Handler, permission: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler that needs a key and no signature (user streams of futures)."""

        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            query = request.raw_path.partition("?")[2].encode()
            account, key = self._known(request.headers.get("X-MBX-APIKEY", ""), _address(request))
            self.need(key, permission)
            response = handler(SignedCall(account, key, _params(query, body), scale(request)))
            return response if isinstance(response, web.StreamResponse) else await response

        return answer

    def check(self, request: web.Request, query: bytes, body: bytes, permission: str) -> SignedCall:
        """Raises Refusal."""
        account, key = self._known(request.headers.get("X-MBX-APIKEY", ""), _address(request))
        params = _params(query, body)
        self.check_clock(params)
        signature = params.pop("signature", "")
        if not signature:
            raise missing("signature")
        payload = _without_signature(query) + _without_signature(body)
        if UNENCODED.search(payload) or not is_signed(key, payload, signature):
            raise Refusal(-1022, "Signature for this request is not valid.")
        self.need(key, permission)
        return SignedCall(account, key, params, scale(request))

    def check_clock(self, params: dict[str, str]) -> None:
        """Raises Refusal."""
        stamp, window = params.get("timestamp", ""), params.get("recvWindow", "5000")
        if not stamp.isascii() or not stamp.isdigit():
            raise missing("timestamp")
        try:
            window_ms = float(window)
        except ValueError:
            window_ms = -1
        if not 0 <= window_ms <= LONGEST_WINDOW_MS:
            raise Refusal(-1131, "recvWindow must be less than 60000.")
        sent_ms, now_ms = micros(int(stamp)) / 1000, self.bank.exchange.server_time() / 1000
        if sent_ms > now_ms + AHEAD_MS:
            raise Refusal(
                -1021, "Timestamp for this request was 1000ms ahead of the server's time."
            )
        if sent_ms < now_ms - window_ms:
            raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")

    def known(self, api_key: str, address: str) -> tuple[Account, Key]:
        return self._known(api_key, address)

    def need(self, key: Key, permission: str) -> None:
        """Raises Refusal."""
        if not key.permissions.get(permission):
            raise not_allowed()

    def count_order(self, account: Account, market: str) -> None:
        """Raises Refusal above the limits of orders that were not filled."""
        counts = self._counts(account, market)
        for name, count in counts.items():
            if count.is_full:
                raise Refusal(
                    -1015,
                    f"Too many new orders; current limit is {count.limit} orders per {name}.",
                    429,
                    count.ends_in,
                )
        for count in counts.values():
            count.add()

    def orders_counted(self, account: Account, market: str) -> tuple[int, int]:
        """In the short window and in the long one."""
        short, long = self._counts(account, market).values()
        return short.count(), long.count()

    def order_headers(self, account: Account, market: str) -> dict[str, str]:
        """As a successful order has them."""
        counts = self._counts(account, market)
        return {f"X-MBX-ORDER-COUNT-{name}": str(count.count()) for name, count in counts.items()}

    def _counts(self, account: Account, market: str) -> dict[str, OrderCount]:
        key = account.uid, market
        if key not in self._orders:
            self._orders[key] = {
                name: OrderCount(limit, seconds, lambda: self.bank.now_ms() / 1000)
                for name, limit, seconds in ORDER_LIMITS[market]
            }
        return self._orders[key]

    def _known(self, api_key: str, address: str) -> tuple[Account, Key]:
        if len(api_key) != 64 or not api_key.isalnum():
            raise Refusal(-2014, "API-key format invalid.", 401)
        owned = self.bank.keys.get(api_key)
        if owned is None or owned[1].is_revoked or self.bank.faults.refuses_keys():
            raise not_allowed()
        if owned[1].addresses and address not in owned[1].addresses:
            raise not_allowed()
        return owned


def missing(name: str) -> Refusal:
    return Refusal(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def not_allowed() -> Refusal:
    return Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def _address(request: web.Request) -> str:
    return request.remote or ""


def _params(*parts: bytes) -> dict[str, str]:
    """Raises Refusal for a name given twice."""
    params: dict[str, str] = {}
    for part in parts:
        for pair in part.split(b"&"):
            if not pair:
                continue
            name, _, value = pair.partition(b"=")
            text = unquote_plus(name.decode("latin-1"))
            if text in params:
                raise Refusal(-1101, f"Duplicate values for parameter '{text}'.")
            params[text] = unquote_plus(value.decode("latin-1"))
    return params


def _without_signature(part: bytes) -> bytes:
    return b"&".join(pair for pair in part.split(b"&") if not pair.startswith(b"signature="))
