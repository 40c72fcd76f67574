"""A file as an answer that is sent in pieces."""

import tempfile
from collections.abc import AsyncIterator
from typing import IO, Any

from asgiref.sync import sync_to_async

PIECE_BYTES = 1 << 16


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """In memory while it is small; closed with the answer that it is sent as, at the latest when
    nobody holds it any more."""

    def __del__(self) -> None:
        self.close()


class Sent:
    """The file is closed with the answer, whether anybody read it or not."""

    def __init__(self, file: IO[bytes] | Any) -> None:
        self._file = file

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await sync_to_async(self._file.seek)(0)
        while piece := await sync_to_async(self._file.read)(PIECE_BYTES):
            yield piece

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        self.close()
