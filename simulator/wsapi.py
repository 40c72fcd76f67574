"""The WebSocket API, `/ws-api/v3`: orders and account by message, and user streams of spot.

Signatures are over the sorted parameters as raw UTF-8, not percent-encoded. One connection may
carry many accounts, each under a subscription id of its own. Source: web-socket-api.md (2026-07).
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, cast

from aiohttp import WSMsgType, web

from simulator.accounts.bank import Bank
from simulator.accounts.events import Event
from simulator.accounts.keys import is_signed
from simulator.accounts.records import SPOT, Account, Key
from simulator.accounts.refusals import Refusal
from simulator.connection import Lifetime, text_frame
from simulator.limits import Rate
from simulator.rest import orders, spot_account, spot_orders, spot_shapes
from simulator.rest.signed import Door, SignedCall, missing, not_allowed
from simulator.ws_orders import WsOrders

MOST_SUBSCRIPTIONS = 1000
MESSAGES_A_SECOND = 100
TIMES = ("E", "T", "O", "W", "u")
TRADE = "enableSpotAndMarginTrading"
Answer = tuple[int, object]


class WsApi:
    def __init__(self, bank: Bank, door: Door, lifetime: Lifetime, attempts: Rate) -> None:
        self.bank = bank
        self.door = door
        self.lifetime = lifetime
        self._attempts = attempts
        self.orders = WsOrders(bank, door)
        self.sessions: set[Session] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/ws-api/v3", self.serve)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.bank.faults.refuses_connections():
            assert request.transport is not None
            request.transport.close()
            return web.Response(status=503)
        if not self._attempts.allows():
            return web.Response(status=429, text="Too many connection attempts")
        if wall := self.bank.faults.wall_before(request.url.host or ""):
            return web.Response(status=wall if wall > 1 else 404)
        session = Session(self, request)
        self.sessions.add(session)
        try:
            return await session.run()
        finally:
            session.forget()
            self.sessions.discard(session)

    def cut(self) -> int:
        for session in self.sessions:
            session.transport.abort()
        return len(self.sessions)

    async def shut_down(self, seconds: float) -> None:
        for session in list(self.sessions):
            now = self.bank.now_ms()
            session.push({"event": {"e": "serverShutdown", "E": now}})
        await asyncio.sleep(seconds)
        for session in list(self.sessions):
            await session.socket.close(code=1001, message=b"server shuts down")


class Session:
    """One connection: its logon, its subscriptions, its answers."""

    def __init__(self, api: WsApi, request: web.Request) -> None:
        self.api = api
        self.bank = api.bank
        self.request = request
        self.is_micro = request.query.get("timeUnit", "").upper() == "MICROSECOND"
        self.socket = web.WebSocketResponse(compress=False, autoping=False)
        self.transport = cast(asyncio.Transport, request.transport)
        self.logged_on: tuple[Account, Key] | None = None
        self.subscriptions: dict[int, tuple[int, Callable[[], None]]] = {}
        self.numbers = 0
        self.last_pong = 0.0

    async def run(self) -> web.StreamResponse:
        await self.socket.prepare(self.request)
        self.last_pong = time.monotonic()
        helper = asyncio.create_task(self._live())
        rate = Rate(MESSAGES_A_SECOND, 1.0, time.monotonic)
        try:
            async for message in self.socket:
                if not rate.allows():
                    await self.socket.close(code=1008, message=b"Too many requests")
                elif message.type == WSMsgType.TEXT:
                    await self._answer(message.data)
                elif message.type == WSMsgType.PING:
                    await self.socket.pong(message.data)
                elif message.type == WSMsgType.PONG and message.data:
                    self.last_pong = time.monotonic()
        finally:
            helper.cancel()
        return self.socket

    def push(self, message: dict[str, object]) -> None:
        if not self.transport.is_closing() and not self.socket.closed:
            self.transport.write(text_frame(json.dumps(message, separators=(",", ":"))))

    def forget(self) -> None:
        for _, end in self.subscriptions.values():
            end()
        self.subscriptions.clear()

    async def _live(self) -> None:
        """Pings, a missing pong, and the end after 24 hours."""
        life, born = self.api.lifetime, time.monotonic()
        while True:
            await asyncio.sleep(min(life.ping_every, life.life))
            if time.monotonic() - born >= life.life:
                await self.socket.close(code=1001, message=b"24 hours are over")
                return
            if time.monotonic() - self.last_pong > life.pong_within:
                await self.socket.close(code=1008, message=b"Pong timeout")
                return
            await self.socket.ping(str(self.bank.now_ms()).encode())

    async def _answer(self, text: str) -> None:
        request_id: object = None
        try:
            message = json.loads(text)
            if not isinstance(message, dict) or not isinstance(message.get("method"), str):
                raise Refusal(-1135, "JSON Request is not valid")
            request_id, params = message.get("id"), message.get("params") or {}
            if not isinstance(params, dict):
                raise Refusal(-1135, "JSON Request is not valid")
            status, result = await self._obey(message["method"], params)
            body: dict[str, object] = {"result": result} if status == 200 else {"error": result}
        except (ValueError, RecursionError):
            status, body = 400, {"error": {"code": -1135, "msg": "JSON Request is not valid"}}
        except Refusal as error:
            status, body = error.status, {"error": {"code": error.code, "msg": str(error)}}
        limits = {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 6000,
            "count": 2,
        }
        self.push({"id": request_id, "status": status, **body, "rateLimits": [limits]})

    async def _obey(self, method: str, params: dict[str, Any]) -> Answer:
        plain = {name: _text(value) for name, value in params.items()}
        if method == "ping":
            return 200, {}
        if method == "time":
            return 200, {"serverTime": self.bank.exchange.server_time() // 1000}
        if method.startswith(("session.", "userDataStream.")):
            return self._session(method, plain)
        handlers = {
            "account.status": (self._account, "enableReading"),
            "openOrders.status": (self._open_orders, "enableReading"),
            "order.status": (self._order, "enableReading"),
            "myTrades": (self._my_trades, "enableReading"),
            "order.place": (self._place, TRADE),
            "order.test": (self._test, TRADE),
            "order.cancel": (self._cancel, TRADE),
        }
        permission = self.api.orders.permission_of(method)
        if permission is not None:
            return await self.api.orders.obey(method, self._signed(plain, permission))
        if method not in handlers:
            raise Refusal(-1136, f"Unknown method: {method}")
        handler, permission = handlers[method]
        return handler(self._signed(plain, permission))

    # --- sessions and subscriptions -------------------------------------------------------------

    def _session(self, method: str, params: dict[str, str]) -> Answer:
        if method == "session.logon":
            account, key = self._checked(params)
            if key.kind != "ed25519":
                raise Refusal(-4056, "HMAC_SHA256 API key is not supported.")
            self.logged_on = account, key
            return 200, self._status()
        if method == "session.status":
            return 200, self._status()
        if method == "session.logout":
            self.logged_on = None
            return 200, self._status()
        if method == "session.subscriptions":
            return 200, [{"subscriptionId": number} for number in self.subscriptions]
        if method == "userDataStream.subscribe.signature":
            return 200, self._subscribe(self._checked(params)[0])
        if method == "userDataStream.subscribe":
            if self.logged_on is None:
                raise Refusal(-1002, "You are not authorized to execute this request.", 401)
            return 200, self._subscribe(self.logged_on[0])
        if method == "userDataStream.unsubscribe":
            return 200, self._unsubscribe(params)
        # listenKeys of spot were switched off on 2026-02-20
        raise Refusal(-1136, f"Unknown method: {method}", 410 if "Stream" in method else 400)

    def _subscribe(self, account: Account) -> dict[str, int]:
        if any(uid == account.uid for uid, _ in self.subscriptions.values()):
            raise Refusal(-2035, "User Data Stream subscription already active.")
        if len(self.subscriptions) >= MOST_SUBSCRIPTIONS:
            raise Refusal(-2042, "Too many subscriptions on this connection.")
        number, self.numbers = self.numbers, self.numbers + 1

        def hear(market: str, event: Event) -> None:
            if market == SPOT:
                told = _in_micros(event) if self.is_micro else event
                self.push({"subscriptionId": number, "event": told})

        self.subscriptions[number] = account.uid, self.bank.listen(account.uid, hear)
        return {"subscriptionId": number}

    def _unsubscribe(self, params: dict[str, str]) -> dict[str, str]:
        chosen = list(self.subscriptions)
        if "subscriptionId" in params:
            chosen = [number for number in chosen if str(number) == params["subscriptionId"]]
        if not chosen:
            raise Refusal(-2036, "User Data Stream subscription not active.")
        for number in chosen:
            _, end = self.subscriptions.pop(number)
            end()
            event = {"e": "eventStreamTerminated", "E": self.bank.now_ms()}
            self.push({"subscriptionId": number, "event": event})
        return {}

    def _status(self) -> dict[str, object]:
        now = self.bank.now_ms()
        key = self.logged_on[1].api_key if self.logged_on else None
        return {
            "apiKey": key,
            "authorizedSince": now if key else None,
            "connectedSince": now,
            "returnRateLimits": True,
            "serverTime": now,
            "userDataStream": bool(self.subscriptions),
        }

    # --- who asks -------------------------------------------------------------------------------

    def _signed(self, params: dict[str, str], permission: str) -> SignedCall:
        if "signature" not in params and self.logged_on is not None:
            account, key = self.logged_on
            if key.is_revoked or self.bank.faults.refuses_keys():
                raise not_allowed()
        else:
            account, key = self._checked(params)
        self.api.door.need(key, permission)
        params = {k: v for k, v in params.items() if k not in {"signature", "apiKey"}}
        return SignedCall(account, key, params, 1 if self.is_micro else 1000)

    def _checked(self, params: dict[str, str]) -> tuple[Account, Key]:
        """Raises Refusal."""
        account, key = self.api.door.known(params.get("apiKey", ""), self.request.remote or "")
        self.api.door.check_clock(params)
        if not params.get("signature"):
            raise missing("signature")
        payload = "&".join(f"{k}={params[k]}" for k in sorted(params) if k != "signature")
        if not is_signed(key, payload.encode(), params["signature"]):
            raise Refusal(-1022, "Signature for this request is not valid.")
        return account, key

    # --- account and orders ---------------------------------------------------------------------

    def _account(self, call: SignedCall) -> Answer:
        return 200, spot_account.account_body(call.account, call)

    def _open_orders(self, call: SignedCall) -> Answer:
        return 200, spot_orders.open_orders(call, self.bank)

    def _order(self, call: SignedCall) -> Answer:
        order = orders.find_order(call, self.bank, SPOT)
        return 200, spot_shapes.order_body(order, call.scale)

    def _my_trades(self, call: SignedCall) -> Answer:
        return 200, spot_account.my_trades(call, self.bank)

    def _place(self, call: SignedCall) -> Answer:
        self.api.door.count_order(call.account, SPOT)
        account, order = orders.place(call, self.bank, SPOT)
        broken = self.bank.faults.answer_after_execution()
        if broken:
            return 500, {"code": -1007, "msg": "Timeout waiting for response from backend server."}
        return 200, spot_shapes.placed(account, order, call)

    def _test(self, call: SignedCall) -> Answer:
        self.bank.check(call.account, orders.make_order(call, self.bank, SPOT))
        return 200, {}

    def _cancel(self, call: SignedCall) -> Answer:
        order = orders.find_order(call, self.bank, SPOT, is_cancel=True)
        self.bank.cancel(call.account, order)
        return 200, spot_shapes.cancelled(order, call)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _in_micros(event: Event) -> Event:
    return {
        name: value * 1000 if name in TIMES and isinstance(value, int) else value
        for name, value in event.items()
    }
