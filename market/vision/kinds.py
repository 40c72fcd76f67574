"""What files of the archive hold, and what is wrong with one that cannot be used."""

from typing import Literal

Kind = Literal["trades", "aggTrades"]


class Damaged(ValueError):
    """A file that cannot be used; the sentence names it, and the line where there is one."""


class NoRows(Damaged):
    """A whole file without rows: a header alone, or nothing at all."""

    def __init__(self, name: str, *, has_header: bool) -> None:
        super().__init__(f"{name}: expected rows of trades, found none")
        self.has_header = has_header
