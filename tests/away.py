"""A store that nobody reaches."""

import redis


def redis_away() -> redis.Redis:
    """As `market.hot.client` makes its own: refused at once, without trying again and again."""
    pool = redis.ConnectionPool(host="127.0.0.1", port=1, socket_connect_timeout=0.2)
    return redis.Redis(connection_pool=pool)
