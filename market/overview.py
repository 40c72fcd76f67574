"""One line for each followed market, from what Redis knows now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import redis
import structlog

from lib.dates import from_ms
from lib.decimals import text
from market.hot import keys
from market.models import Instrument
from market.reading import hot_client

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Line:
    """`price` and `covered_to` (UTC) are None before the first trade, or while Redis is away."""

    symbol: str
    price: str | None
    covered_to: datetime | None


def overview(instruments: Sequence[Instrument]) -> list[Line]:
    try:
        with hot_client().pipeline(transaction=False) as pipe:
            for instrument in instruments:
                pipe.hmget(keys.state(instrument.key), ["price", "covered_to"])
            found = pipe.execute()
    except redis.RedisError as error:
        log.warning("redis away, prices unknown", error=type(error).__name__)
        found = [(None, None)] * len(instruments)
    return [
        Line(
            instrument.symbol,
            text(int(price)) if price else None,
            from_ms(int(covered)) if covered else None,
        )
        for instrument, (price, covered) in zip(instruments, found, strict=True)
    ]
