"""Lists of ids, small: differences to the one before, as 8 bytes each, compressed."""

import zlib
from collections.abc import Sequence

import numpy as np


def pack(ids: Sequence[int]) -> bytes:
    """In their order."""
    return zlib.compress(np.diff(np.asarray(ids, dtype="<i8"), prepend=0).tobytes(), 6)


def unpack(packed: bytes) -> list[int]:
    steps = np.frombuffer(zlib.decompress(packed), dtype="<i8")
    found: list[int] = np.cumsum(steps).tolist()
    return found
