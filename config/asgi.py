"""HTTP through Django, sockets through Channels."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()

from accounts.live import SignedIn  # noqa: E402  (needs the app registry)
from market.live.consumers import LiveConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SignedIn(URLRouter([path("ws/live/", LiveConsumer.as_asgi())])),
    }
)
