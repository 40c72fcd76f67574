"""One pool of connections a process for whoever reads the hot store outside an event loop."""

import redis
from django.conf import settings

TIMEOUT_SECONDS = 2.0
_pool = redis.ConnectionPool.from_url(
    settings.REDIS_URL,
    socket_timeout=TIMEOUT_SECONDS,
    socket_connect_timeout=TIMEOUT_SECONDS,
    health_check_interval=10,
)


def hot_client() -> redis.Redis:
    return redis.Redis(connection_pool=_pool)
