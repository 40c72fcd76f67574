"""A trade's fills as the orders they were of, and its entries as one glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from django.utils.translation import gettext as _

from journal.metrics.flow import CLEAR
from journal.models import FillFlow, TradeFill

Part = tuple[TradeFill, FillFlow | None]


@dataclass(frozen=True)
class OrderParts:
    """Fills that came one after another for one order; `price` is their mean by quantity."""

    side: str
    fills: list[Part]

    @property
    def time(self) -> datetime:
        return self.fills[0][0].fill.time

    @property
    def quantity(self) -> Decimal:
        return sum((part.fill.quantity for part, _flow in self.fills), Decimal(0))

    @property
    def price(self) -> Decimal:
        worth = sum((p.fill.quantity * p.fill.price for p, _flow in self.fills), Decimal(0))
        return worth / self.quantity

    @property
    def fees(self) -> list[tuple[str, Decimal]]:
        """By the coin they were paid in."""
        sums: dict[str, Decimal] = {}
        for part, _flow in self.fills:
            asset = part.fill.fee_asset
            sums[asset] = sums.get(asset, Decimal(0)) + part.fill.fee
        return sorted(sums.items())

    @property
    def role(self) -> str:
        makers = sum(part.fill.is_maker for part, _flow in self.fills)
        if makers == len(self.fills):
            return _("maker")
        return _("both") if makers else _("taker")


def orders_of(fills: Sequence[Part]) -> list[OrderParts]:
    """In the order of time. Fills without an order's id (typed or from a file) stand alone."""

    def order(part: Part) -> tuple[int, str, int]:
        fill = part[0].fill
        return fill.order_id, fill.side, 0 if fill.order_id > 0 else fill.pk

    return [OrderParts(key[1], list(parts)) for key, parts in groupby(fills, key=order)]


@dataclass(frozen=True)
class Entry:
    """How one entry stood to the takers before it: `tone` is up (with), down (against) or flat."""

    tone: str
    words: str


def entries_of(fills: Sequence[Part]) -> list[Entry]:
    """Each entry whose flow is known."""
    entries = [(part, flow) for part, flow in fills if part.is_entry]
    return [
        _entry(number, len(entries), flow.share)
        for number, (_part, flow) in enumerate(entries, start=1)
        if flow is not None and flow.share is not None
    ]


def _entry(number: int, count: int, share: Decimal) -> Entry:
    tone, word = "flat", _("mixed")
    if share >= CLEAR:
        tone, word = "up", _("with")
    elif share <= -CLEAR:
        tone, word = "down", _("against")
    words = _("Entry %(number)s of %(count)s: %(word)s, %(share)s") % {
        "number": number,
        "count": count,
        "word": word,
        "share": signed_share(share),
    }
    return Entry(tone, words)


def flow_says(share: Decimal | None, window: str, entries: int) -> str:
    """The verdict as one sentence: whose, of which window, how clear. Empty where it is unknown."""
    if share is None or not window:
        return ""
    told = {"window": window, "share": signed_share(share), "entries": entries}
    if entries > 1:
        return _("All %(entries)s entries by size, %(window)s before each: %(share)s.") % told
    return _("The entry, %(window)s before it: %(share)s.") % told


def orders_say(orders: int, executions: int) -> str:
    """How many of each, in words."""
    return _("orders: %(orders)s, fills: %(fills)s") % {"orders": orders, "fills": executions}


def signed_share(share: Decimal) -> str:
    """+0.31: of the takers' value on the trade's side."""
    shown = f"{share:+.2f}".replace("-", "−")
    return "0.00" if shown in {"+0.00", "−0.00"} else shown
