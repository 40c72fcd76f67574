"""Which live topics exist, and who may have them."""

from asgiref.sync import sync_to_async
from django.conf import settings

from market.live.private import is_private
from market.models import Instrument

INTERVALS = ("1s", "1m")
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
    known = await sync_to_async(
        Instrument.objects.filter(venue=settings.VENUE, market=market, symbol=symbol).exists
    )()
    return None if known else f"{market} {symbol} is not followed here"


def _is_word(part: str) -> bool:
    """Symbols hold letters of any script, digits and, on futures with an end, an underscore."""
    return part.replace("_", "").isalnum()
