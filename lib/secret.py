"""A value that nothing can print, log, pickle or compare by accident."""

import hmac
from typing import NoReturn, SupportsIndex

HIDDEN = "Secret(****)"


class Secret:
    """Holds bytes; `reveal` is the only way to them, so that its callers can be counted."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | bytearray | str) -> None:
        self._value = bytearray(value.encode() if isinstance(value, str) else value)

    def reveal(self) -> bytes:
        """The plain bytes; hand them on at once and keep them nowhere."""
        return bytes(self._value)

    def wipe(self) -> None:
        """Overwrite our copy, as far as Python allows."""
        for index in range(len(self._value)):
            self._value[index] = 0
        self._value.clear()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, how: str) -> str:
        return HIDDEN

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")
