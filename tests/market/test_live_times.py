"""Sockets are timed by their route, through a real server."""

import pytest
import redis
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from market.hot import tally
from tests.market.test_live import TOPIC, address, hear, open_socket, publish, say, token

pytestmark = pytest.mark.django_db(transaction=True)
# the same server and token as there
__all__ = ["address", "token"]


async def test_openings_and_waits_of_sockets_are_timed_by_route(
    address: str, token: str, empty_redis: redis.Redis
) -> None:
    tally.hand_over()  # what tests before it left in this process
    empty_redis.delete(tally.KEY)
    async with open_socket(address, token) as socket:
        await say(socket, subscribe=[TOPIC])
        await publish(empty_redis, 60, 1)
        await hear(socket, "seq")
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://{address}/ws/live/"):
            pytest.fail("a stranger came in")
    tally.hand_over()
    totals = tally.totals()

    def times_of(name: str) -> int:
        """How often it was timed, in whichever bucket."""
        return sum(
            count
            for (metric, labels, part), count in totals.items()
            if metric == name and labels == ("live",) and part != "sum"
        )

    assert times_of("tapelog_websocket_opening_duration_seconds") == 2
    assert times_of("tapelog_websocket_wait_seconds") == 1
    assert totals["tapelog_websocket_openings", ("live", "accepted"), "n"] == 1
    assert totals["tapelog_websocket_openings", ("live", "refused"), "n"] == 1
