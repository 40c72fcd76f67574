"""The reference of the fan-out benchmark: a plain Channels group a topic, on the same socket."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402

get_asgi_application()


class GroupConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        for number in range(3):
            await self.channel_layer.group_add(f"bench{number}", self.channel_name)
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        return

    async def state(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


application = URLRouter([path("ws/live/", GroupConsumer.as_asgi())])
