"""The ledger: what an account owns and earned, from everything that moved it; pure code in Decimal.
See docs/ledger.md."""

from journal.ledger.coins import Wishes
from journal.ledger.engine import Ledger, compute
from journal.ledger.openings import opening_of
from journal.ledger.records import (
    Conversion,
    Fill,
    Funding,
    Match,
    Opening,
    Payment,
    Position,
    Problem,
    Rules,
    Trade,
    Transfer,
)
from journal.ledger.tax import Stated

__all__ = [
    "Conversion",
    "Fill",
    "Funding",
    "Ledger",
    "Match",
    "Opening",
    "Payment",
    "Position",
    "Problem",
    "Rules",
    "Stated",
    "Trade",
    "Transfer",
    "Wishes",
    "compute",
    "opening_of",
]
