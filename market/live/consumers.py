"""`/ws/live/`: authenticates, checks each topic, forwards; it computes nothing."""

import asyncio
import json
import time
from collections import deque
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError

from market.hot import tally, timers
from market.live import limits
from market.live.hub import Hub, Mailbox, frame
from market.live.private import hub_topic
from market.live.topics import refusal

# A client says `{"ack": seq}` at least every 20 messages.
PAUSE_AT_UNACKNOWLEDGED = 60
CLOSE_AFTER_PAUSED_SECONDS = 30.0
# How often a socket asks whether its sign-in still stands.
CHECK_SECONDS = 60.0
SIGN_IN_FIRST, TOO_MANY, TOO_FAST, TOO_SLOW = 4401, 4429, 4408, 4413


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    counted = False
    channel_layer_alias = None  # groups do not reach a thousand sockets; the hub does

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None:
            await self.close(code=SIGN_IN_FIRST)
            return
        self.user_id: int = user.pk
        self.ip: str = (self.scope.get("client") or ["unix"])[0]
        self.counted = await limits.enter(self.user_id, self.ip) is None
        if not self.counted:
            await self.close(code=TOO_MANY)
            return
        self.topics: set[str] = set()
        # the hub's name of a topic -> the client's
        self.shown: dict[str, str] = {}
        self.mailbox = Mailbox(self.scope.get("access", ""))
        self.seq = self.acknowledged = 0
        self.checked_at = time.monotonic()
        self.timed_at = float("-inf")
        self.inbound: deque[float] = deque(maxlen=settings.LIVE_MESSAGES_PER_10S)
        self.hub = Hub.here()
        self.hub.join(self.mailbox)
        await self.accept()
        self.sender = asyncio.create_task(self._send_loop())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Channels calls no `disconnect` after an exception; what a socket holds is given back."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._give_back()

    async def _give_back(self) -> None:
        if not self.counted:
            return
        self.counted = False
        sender: asyncio.Task[None] | None = getattr(self, "sender", None)
        if sender is not None:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        if hasattr(self, "hub"):
            await self.hub.leave(self.mailbox)
        await limits.leave(self.user_id, self.ip)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        size = len(text_data or "") + len(bytes_data or b"")
        if self._is_too_fast() or size > settings.LIVE_FRAME_BYTES:
            await self.close(code=TOO_FAST)
            return
        try:
            message = json.loads(text_data or "")
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            await self._say({"error": "expected a JSON object", "topic": None})
            return
        try:
            await self._obey(message)
        except DatabaseError:
            await self._say({"error": "try again later", "topic": None})

    async def _obey(self, message: dict[str, Any]) -> None:
        known = False
        for word, act in (("subscribe", self._subscribe), ("unsubscribe", self._unsubscribe)):
            if word in message:
                known = True
                topics = message[word]
                if not isinstance(topics, list):
                    await self._say({"error": f"expected {word} with a list", "topic": None})
                    continue
                if len(topics) > settings.LIVE_TOPICS_PER_SOCKET:
                    await self._say({"error": "too many topics at once", "topic": None})
                    continue
                for topic in topics:
                    await act(str(topic))
        if isinstance(message.get("ack"), int):
            known = True
            self.acknowledged = max(self.acknowledged, min(message["ack"], self.seq))
            self.mailbox.wake.set()
        if not known:
            await self._say({"error": "expected subscribe, unsubscribe or ack", "topic": None})

    async def _subscribe(self, topic: str) -> None:
        if len(self.topics) >= settings.LIVE_TOPICS_PER_SOCKET:
            await self._say({"error": "too many topics on this socket", "topic": topic})
        elif (reason := await refusal(topic)) is not None:
            await self._say({"error": reason, "topic": topic})
        else:
            self.topics.add(topic)
            name = hub_topic(topic, self.user_id)
            self.shown[name] = topic
            await self.hub.subscribe(self.mailbox, name)

    async def _unsubscribe(self, topic: str) -> None:
        if topic in self.topics:
            self.topics.discard(topic)
            await self.hub.unsubscribe(self.mailbox, hub_topic(topic, self.user_id))

    async def _send_loop(self) -> None:
        """One task a socket sends, so nothing else ever waits for this client."""
        mailbox = self.mailbox
        paused_at: float | None = None
        while True:
            try:
                async with asyncio.timeout(1):
                    await mailbox.wake.wait()
            except TimeoutError:
                pass
            mailbox.wake.clear()
            if mailbox.is_ended or not await self._is_welcome():
                await self.close(code=SIGN_IN_FIRST)
                return
            if self.seq - self.acknowledged >= PAUSE_AT_UNACKNOWLEDGED:
                paused_at = paused_at or time.monotonic()
                if time.monotonic() - paused_at > CLOSE_AFTER_PAUSED_SECONDS:
                    await self.close(code=TOO_SLOW)
                    return
                continue
            paused_at = None
            await self._send_mail()

    async def _is_welcome(self) -> bool:
        now = time.monotonic()
        if now - self.checked_at < CHECK_SECONDS:
            return True
        self.checked_at = now
        try:
            return bool(await self.scope["is_welcome"]())
        except DatabaseError:
            return True  # nobody is signed out because PostgreSQL is away

    async def _send_mail(self) -> None:
        mailbox = self.mailbox
        if mailbox.heartbeat is not None:
            beat, mailbox.heartbeat = mailbox.heartbeat, None
            await self._say({"heartbeat": beat})
        for topic in list(mailbox.resync):
            mailbox.resync.discard(topic)
            await self._say({"resync": True, "topic": self.shown.get(topic, topic)})
        while mailbox.states and self.seq - self.acknowledged < PAUSE_AT_UNACKNOWLEDGED:
            (topic, slot) = next(iter(mailbox.states))
            payload = mailbox.states.pop((topic, slot))
            self.seq += 1
            await self.send(text_data=frame(self.shown.get(topic, topic), self.seq, payload))
        if not mailbox.states:
            self._tell_wait()

    def _tell_wait(self) -> None:
        """How long what is now sent has waited; a sample, so that it costs nothing."""
        since, self.mailbox.waits_since = self.mailbox.waits_since, None
        now = time.monotonic()
        if since is not None and now - self.timed_at >= timers.EVERY_SECONDS:
            self.timed_at = now
            tally.observe(timers.SOCKET_WAIT, now - since, "live")

    async def _say(self, message: dict[str, object]) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        full = len(self.inbound) == self.inbound.maxlen
        too_fast = full and now - self.inbound[0] < 10
        self.inbound.append(now)
        return too_fast
