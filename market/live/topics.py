"""Which live topics exist, and who may have them."""

import time

from asgiref.sync import sync_to_async
from django.conf import settings

from market.live.private import is_private
from market.models import Instrument

INTERVALS = ("1s", "1m")
# How long what is known of markets counts, and how soon one that was not there is looked for again.
KNOWN_SECONDS, MISSED_SECONDS = 30.0, 0.25
NEVER = float("-inf")
# kind -> how many words follow it
LENGTHS = {"flow": 3, "orders": 2, "book": 2, "ticker": 2, "mark": 2}


async def refusal(topic: str) -> str | None:
    """Why a topic cannot be had; None when it can. Market topics are open to every signed-in user.

    `flow:<market>:<symbol>:<interval>`; `orders`, `book`, `ticker` and (futures) `mark`
    `:<market>:<symbol>`; and the user's own `account` and `pnl`.
    """
    if is_private(topic):
        return None
    kind, *parts = topic.split(":")
    if LENGTHS.get(kind) != len(parts) or not all(map(_is_word, parts)):
        expected = "flow:<market>:<symbol>:<interval> or orders|book|ticker|mark:<market>:<symbol>"
        return f"expected {expected}, was {topic[:80]!r}"
    market, symbol = parts[:2]
    if kind == "flow" and parts[2] not in INTERVALS:
        return f"expected an interval of {', '.join(INTERVALS)}, was {parts[2]!r}"
    if kind == "mark" and market != "usdm":
        return f"expected a future (usdm): {market} has no mark price"
    is_known = await _known.has(market, symbol)
    return None if is_known else f"{market} {symbol} is not followed here"


class Known:
    """Markets that have a tape, as they were a moment ago: a frame asks for many at once, and what
    was not there is looked for again soon."""

    def __init__(self) -> None:
        self._markets: set[tuple[str, str]] = set()
        self._read_at = NEVER

    async def has(self, market: str, symbol: str) -> bool:
        """Raises DatabaseError."""
        age = time.monotonic() - self._read_at
        if age > KNOWN_SECONDS or (age > MISSED_SECONDS and (market, symbol) not in self._markets):
            self._markets = await sync_to_async(_read_known)()
            self._read_at = time.monotonic()
        return (market, symbol) in self._markets

    def forget(self) -> None:
        self._read_at = NEVER


_known = Known()
forget = _known.forget


def _read_known() -> set[tuple[str, str]]:
    rows = Instrument.objects.filter(venue=settings.VENUE)
    return set(rows.values_list("market", "symbol"))


def _is_word(part: str) -> bool:
    """Symbols hold letters of any script, digits and, on futures with an end, an underscore."""
    return part.replace("_", "").isalnum()
