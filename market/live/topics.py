"""Which live topics exist, and who may have them."""

from asgiref.sync import sync_to_async
from django.conf import settings

from market.models import Instrument

INTERVALS = ("1s", "1m")


async def refusal(topic: str) -> str | None:
    """Why a topic cannot be had; None when it can. Market topics are open to every signed-in user.

    `flow:<market>:<symbol>:<interval>`
    """
    parts = topic.split(":")
    if len(parts) != 4 or parts[0] != "flow" or not all(part.isalnum() for part in parts):
        return f"expected flow:<market>:<symbol>:<interval>, was {topic[:80]!r}"
    _, market, symbol, interval = parts
    if interval not in INTERVALS:
        return f"expected an interval of {', '.join(INTERVALS)}, was {interval!r}"
    known = await sync_to_async(
        Instrument.objects.filter(venue=settings.VENUE, market=market, symbol=symbol).exists
    )()
    return None if known else f"{market} {symbol} is not followed here"
