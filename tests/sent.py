"""An answer that is sent in pieces, put together as a server would send it."""

from typing import Any

from asgiref.sync import async_to_sync


def whole(answer: Any) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(read)()
