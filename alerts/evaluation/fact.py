"""Something that happened to an account, by a name of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Fact:
    """`name` is the same however often it is found."""

    kind: str
    user_id: int
    account_id: str
    name: str
    at: datetime
    value: str
    state: str
    facts: dict[str, Any]
