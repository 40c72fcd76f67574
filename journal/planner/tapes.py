"""Fills by the tape that they were made on."""

from collections.abc import Iterable

from django.conf import settings

from journal.models import Fill, Market
from market.instruments import InstrumentKey
from market.models import Instrument
from market.services import following


def by_tape(fills: Iterable[Fill]) -> list[tuple[Instrument, list[Fill]]]:
    """In the order of their first fill."""
    fills_of: dict[tuple[str, str], list[Fill]] = {}
    for fill in fills:
        if fill.market in Market.values:
            fills_of.setdefault((fill.market, fill.symbol), []).append(fill)
    return [
        (following.known(InstrumentKey(settings.VENUE, market, symbol)), mine)
        for (market, symbol), mine in fills_of.items()
    ]
