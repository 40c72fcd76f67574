"""HTTP through Django, sockets through Channels."""

import os
import sys
import threading
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# A page that waits for the database takes the interpreter back after each answer, and a thread that
# computes gives it up only after so many seconds (5 ms by default): twenty queries beside one dear
# request would wait a tenth of a second for nothing else.
sys.setswitchinterval(0.0005)
http = get_asgi_application()

from accounts.live import SignedIn  # noqa: E402  (needs the app registry)
from accounts.vault import holders  # noqa: E402
from config.doors.bodies import BodyGuard  # noqa: E402
from config.doors.fairness import FairShare  # noqa: E402
from config.doors.networks import FromAllowedNetworks  # noqa: E402
from config.doors.proxies import BehindProxies  # noqa: E402
from config.doors.sockets import MeasuredSockets  # noqa: E402
from market.hot import tally  # noqa: E402
from market.live.consumers import LiveConsumer  # noqa: E402


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """A server begins and ends; meanwhile it says which key files it sees."""
    threads: list[threading.Event] = []
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            threads = [holders.start("web"), tally.start()]
            await send({"type": "lifespan.startup.complete"})
        else:
            for stop in threads:
                stop.set()
            await send({"type": "lifespan.shutdown.complete"})
            return


sockets = SignedIn(URLRouter([path("ws/live/", LiveConsumer.as_asgi())]))
doors = ProtocolTypeRouter(
    {
        "lifespan": lifespan,
        "http": FairShare(BodyGuard(http)),
        "websocket": MeasuredSockets(sockets, {"/ws/live/": "live"}),
    }
)
application = BehindProxies(FromAllowedNetworks(doors))
