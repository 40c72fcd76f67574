"""A trade's flow before its entries, as one table: the verdict above it is one of its cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from journal.metrics import flow
from journal.models import Trade, TradeFill
from journal.stamps.trades import flow_of, shares_of
from market.flow.bands import bands_for


@dataclass(frozen=True)
class FlowColumn:
    """One window over all entries, each weighted by its quantity; None where it is not known of
    all of them. `share` is -1 to 1 on the trade's side."""

    window: str
    total: Decimal | None
    share: Decimal | None
    bands: dict[str, Decimal] | None


def columns_of(trade: Trade, parts: Sequence[TradeFill]) -> list[FlowColumn]:
    """All windows; empty where nothing is known of any."""
    entries = [part for part in parts if part.is_entry]
    columns = [_column(entries, name, bands_for(trade.quote).names) for name in flow.WINDOWS]
    return columns if any(column.total is not None for column in columns) else []


def _column(entries: Sequence[TradeFill], name: str, bands: Sequence[str]) -> FlowColumn:
    known: list[tuple[Decimal, dict[str, Any]]] = []
    for part in entries:
        fill_flow = flow_of(part.fill)
        window = fill_flow.windows.get(name) if fill_flow is not None else None
        if not window:
            return FlowColumn(name, None, None, None)
        known.append((part.fill.quantity, window))
    if not known:
        return FlowColumn(name, None, None, None)
    _, share = flow.verdict(shares_of(entries, name))
    by_band = None
    if all(window.get("bands") is not None for _, window in known):
        by_band = {
            band: _mean([(q, Decimal(w["bands"].get(band, "0"))) for q, w in known])
            for band in bands
        }
    total = _mean([(quantity, Decimal(window["delta"])) for quantity, window in known])
    return FlowColumn(name, total, share, by_band)


def _mean(weighted: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    quantity = sum((q for q, _ in weighted), Decimal(0))
    return sum((q * value for q, value in weighted), Decimal(0)) / quantity
