"""The owner's own topics of the live hub: `account` (fills, orders, balances) and `pnl`."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
import redis
import structlog
from django.conf import settings

from market.hot import keys
from market.hot.client import hot_client
from market.live.private import private_topic

log = structlog.get_logger(__name__)


def listeners(topic: str) -> set[int]:
    """Ids of the users who hear their own topic just now, on any server; without Redis nobody."""
    everybodys = keys.topic(settings.VENUE, f"{topic}:*")
    try:
        channels = cast("list[bytes]", hot_client().pubsub_channels(everybodys))
    except redis.RedisError as error:
        log.warning("not told", topic=topic, error=type(error).__name__)
        return set()
    return {int(channel.rpartition(b":")[2]) for channel in channels}


def tell(user_id: int, topic: str, slot: str, time_ms: int, data: Mapping[str, Any]) -> None:
    """Without Redis nothing is told; the pages read again when it is back."""
    body = msgspec.json.encode(data).decode()
    channel = keys.topic(settings.VENUE, private_topic(topic, user_id))
    try:
        hot_client().publish(channel, f'{slot}\n"time":{time_ms},"data":{body}}}')
    except redis.RedisError as error:
        log.warning("not told", topic=topic, error=type(error).__name__)
