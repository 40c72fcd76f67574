"""A file as an answer that is sent in pieces; the file is closed at its end, or when its reader is
gone."""

from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async

PIECE_BYTES = 1 << 16


async def sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        await sync_to_async(file.seek)(0)
        while piece := await sync_to_async(file.read)(PIECE_BYTES):
            yield piece
    finally:
        file.close()
