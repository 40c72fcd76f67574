"""The live hub of one process: one Redis subscription, the same ready-made text to every socket.

Each socket has a small mailbox keyed (topic, bar time) in which the newest state wins, so a slow
client skips states, never the last one of a bar, and never delays the others. A busy process hands
on fewer states of the market's topics (`pace.py`); what is an owner's own always goes at once.
Measured against Channels' groups in docs/performance.md.
"""

import asyncio
import contextlib
import json
import time
from typing import ClassVar

import redis.asyncio as redis
import structlog
from django.conf import settings

from market.hot import keys, tally
from market.live.pace import Pace
from market.live.topics import LENGTHS

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
MAILBOX_LIMIT = 256

SKIPPED = tally.Count("tapelog_live_states_skipped", "States that a newer one replaced unsent")
RESYNCED = tally.Count("tapelog_live_resyncs", "Topics that a slow socket has to read anew")

Slot = tuple[str, str]


class Mailbox:
    """What one socket has yet to send. `take` waits for something and empties it."""

    def __init__(self, access: str = "") -> None:
        self.access = access
        self.is_ended = False
        self.states: dict[Slot, str] = {}
        self.resync: set[str] = set()
        self.heartbeat: int | None = None
        # since when the oldest unsent state waits (monotonic); None: nothing waits
        self.waits_since: float | None = None
        self.wake = asyncio.Event()

    def put(self, topic: str, slot: str, payload: str) -> None:
        if payload == keys.RESYNC:
            self.resync.add(topic)
        else:
            key = (topic, slot)
            if self.waits_since is None:
                self.waits_since = time.monotonic()
            if self.states.pop(key, None) is not None:  # the newest one goes to the end of the line
                tally.count(SKIPPED)
            self.states[key] = payload
            if len(self.states) > MAILBOX_LIMIT:
                self.resync.update(known for known, _ in self.states)
                tally.count(RESYNCED, amount=len(self.resync))
                self.states.clear()
        self.wake.set()

    def forget(self, topic: str) -> None:
        self.states = {key: text for key, text in self.states.items() if key[0] != topic}
        self.resync.discard(topic)
        if not self.states:
            self.waits_since = None


class Hub:
    """Mailboxes by topic. One hub an event loop; it starts with its first viewer."""

    _hubs: ClassVar[dict[asyncio.AbstractEventLoop, "Hub"]] = {}

    def __init__(self) -> None:
        self.viewers: dict[str, set[Mailbox]] = {}
        self.mailboxes: set[Mailbox] = set()
        self.pace = Pace(self._hand_on)
        self._pubsub: redis.client.PubSub | None = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def here(cls) -> "Hub":
        loop = asyncio.get_running_loop()
        for other in [known for known in cls._hubs if known.is_closed()]:
            del cls._hubs[other]
        return cls._hubs.setdefault(loop, cls())

    def join(self, mailbox: Mailbox) -> None:
        self.mailboxes.add(mailbox)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def leave(self, mailbox: Mailbox) -> None:
        self.mailboxes.discard(mailbox)
        for topic in [topic for topic, who in self.viewers.items() if mailbox in who]:
            await self.unsubscribe(mailbox, topic)
        if not self.mailboxes and self._task is not None:
            self._task.cancel()  # not awaited: a client that goes never waits for Redis
            self._task = None

    async def subscribe(self, mailbox: Mailbox, topic: str) -> None:
        who = self.viewers.setdefault(topic, set())
        who.add(mailbox)
        if len(who) == 1 and self._pubsub is not None:
            with contextlib.suppress(redis.RedisError, OSError):  # the next connection has it
                await self._pubsub.subscribe(channel(topic))

    async def unsubscribe(self, mailbox: Mailbox, topic: str) -> None:
        who = self.viewers.get(topic, set())
        who.discard(mailbox)
        mailbox.forget(topic)
        if not who and topic in self.viewers:
            del self.viewers[topic]
            self.pace.forget(topic)
            if self._pubsub is not None:
                with contextlib.suppress(redis.RedisError, OSError):
                    await self._pubsub.unsubscribe(channel(topic))

    async def _run(self) -> None:
        """Read the subscription for ever; after each break every viewer reads the API again."""
        is_first = True
        while self.mailboxes:  # redis-py may swallow a cancellation while it connects
            client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=HEARTBEAT_SECONDS * 3, socket_connect_timeout=5
            )
            try:
                async with client.pubsub() as pubsub:
                    known = set(self.viewers)
                    await pubsub.subscribe(*map(channel, (keys.HEARTBEAT, keys.ENDED, *known)))
                    if asyncio.current_task() is not self._task:
                        return
                    self._pubsub = pubsub
                    if since := set(self.viewers) - known:  # added while we connected
                        await pubsub.subscribe(*map(channel, since))
                    if not is_first:
                        self._resync_all()
                    is_first = False
                    await self._read(client, pubsub)
            except (redis.RedisError, OSError, ValueError, RuntimeError) as error:
                log.warning("live hub lost redis", error=type(error).__name__)
            finally:
                if asyncio.current_task() is self._task:
                    self._pubsub = None
                await client.aclose()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _read(self, client: redis.Redis, pubsub: redis.client.PubSub) -> None:
        beside = [asyncio.create_task(self._beat(client)), asyncio.create_task(self.pace.measure())]
        try:
            async for message in pubsub.listen():
                if message["type"] == "message":
                    topic = message["channel"].decode().removeprefix(channel(""))
                    self._deliver(topic, message["data"].decode())
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _beat(self, client: redis.Redis) -> None:
        """Heartbeats go through the whole path: Redis, hub, socket."""
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                await client.publish(channel(keys.HEARTBEAT), int(time.time() * 1000))
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _deliver(self, topic: str, data: str) -> None:
        if topic == keys.HEARTBEAT:
            for mailbox in self.mailboxes:
                if mailbox.heartbeat is None or int(data) >= mailbox.heartbeat + 1000:
                    mailbox.heartbeat = int(data)
                    mailbox.wake.set()
            return
        if topic == keys.ENDED:
            for mailbox in self.mailboxes:
                if mailbox.access == data:
                    mailbox.is_ended = True
                    mailbox.wake.set()
            return
        slot, _, payload = data.partition("\n")
        is_state = bool(payload) and topic.partition(":")[0] in LENGTHS
        hand_on = self.pace.take if is_state else self._hand_on
        hand_on(topic, slot, payload or slot)

    def _hand_on(self, topic: str, slot: str, payload: str) -> None:
        for mailbox in self.viewers.get(topic, ()):
            mailbox.put(topic, slot, payload)

    def _resync_all(self) -> None:
        for topic, who in self.viewers.items():
            for mailbox in who:
                mailbox.put(topic, "", keys.RESYNC)


def channel(topic: str) -> str:
    return keys.topic(settings.VENUE, topic)


def frame(topic: str, seq: int, payload: str) -> str:
    """The whole message from the writer's ready-made tail (`market.answers.live_payload`)."""
    return f'{{"topic":{json.dumps(topic)},"seq":{seq},{payload}'
