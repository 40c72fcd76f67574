"""The ledger: trades, lots and PnL from fills; pure code in Decimal. See docs/ledger.md."""

from journal.ledger.engine import Ledger, compute
from journal.ledger.records import (
    Fill,
    Funding,
    Match,
    Position,
    Problem,
    Rules,
    Trade,
    Transfer,
)

__all__ = [
    "Fill",
    "Funding",
    "Ledger",
    "Match",
    "Position",
    "Problem",
    "Rules",
    "Trade",
    "Transfer",
    "compute",
]
