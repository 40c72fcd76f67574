"""The order flow of this moment, as a plan keeps it: from the live bars, exact."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from journal.metrics.flow import CLEAR
from journal.models import Trade
from lib.decimals import QUOTE_PLACES, decimal, plain
from market.instruments import InstrumentKey
from market.selectors.reading import read_hot

MINUTE = 60
MINUTES = 5
SHARE = Decimal("0.0001")


@dataclass(frozen=True)
class Moment:
    """Takers' quote value bought and sold in the last five minutes, the running one with them."""

    at: datetime
    buy: Decimal
    sell: Decimal

    def share(self, *, is_buy: bool) -> Decimal | None:
        """Of the value on the order's own side less the other one: -1 to 1; None: nobody traded."""
        total = self.buy + self.sell
        if not total:
            return None
        delta = self.buy - self.sell if is_buy else self.sell - self.buy
        return (delta / total).quantize(SHARE)

    def verdict(self, *, is_buy: bool) -> str:
        """As the journal calls a trade's flow (`Trade.Against`)."""
        share = self.share(is_buy=is_buy)
        if share is None:
            return Trade.Against.UNKNOWN
        if abs(share) < CLEAR:
            return Trade.Against.MIXED
        return Trade.Against.WITH if share > 0 else Trade.Against.AGAINST

    def as_json(self, *, is_buy: bool) -> dict[str, Any]:
        share = self.share(is_buy=is_buy)
        return {
            "window": "5m",
            "at": int(self.at.timestamp() * 1000),
            "buy": plain(self.buy),
            "sell": plain(self.sell),
            "share": None if share is None else plain(share),
            "verdict": str(self.verdict(is_buy=is_buy)),
        }


def moment_of(market: str, symbol: str) -> Moment | None:
    """None where nobody follows this market just now, or Redis is away."""
    now = timezone.now()
    newest = int(now.timestamp()) // MINUTE * MINUTE
    tape = InstrumentKey(settings.VENUE, market, symbol)
    state, bars, _, is_away = read_hot(tape, "1m", newest - (MINUTES - 1) * MINUTE, newest + MINUTE)
    if is_away or state is None or not bars:
        return None
    return Moment(
        now,
        decimal(sum(bar.quote_buy for bar in bars.values()), QUOTE_PLACES),
        decimal(sum(bar.quote_sell for bar in bars.values()), QUOTE_PLACES),
    )
