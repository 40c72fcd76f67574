"""What you traded (as the exchange says it, as the ledger sees it) and what you learned."""

from journal.models.exchange import (
    AssetPrice,
    Balance,
    DailyBalance,
    Fill,
    FuturesPosition,
    Income,
    Market,
    Order,
    Source,
    Transfer,
)
from journal.models.grouping import TradeMerge, TradeSplit
from journal.models.notes import (
    Annotation,
    DayNote,
    ManualFill,
    NoteTemplate,
    Preferences,
    SavedView,
    Screenshot,
    Setup,
    Tag,
)
from journal.models.syncing import Coverage, Difference, Sync
from journal.models.trades import (
    Book,
    FillFlow,
    LedgerProblem,
    OpenPosition,
    Realized,
    Trade,
    TradeFill,
)
from journal.models.uploads import Rejected, Upload, Witness
from journal.models.watching import WatchedMarket, Watchlist

__all__ = [
    "Annotation", "AssetPrice", "Balance", "Book", "Coverage", "DailyBalance", "DayNote",
    "Difference",
    "Fill", "FillFlow", "FuturesPosition", "Income", "LedgerProblem", "ManualFill", "Market",
    "NoteTemplate", "OpenPosition", "Order", "Preferences", "Realized", "Rejected", "SavedView",
    "Screenshot",
    "Setup", "Source", "Sync", "Tag", "Trade", "TradeFill", "TradeMerge", "TradeSplit", "Transfer",
    "Upload", "Witness",
    "WatchedMarket", "Watchlist",
]  # fmt: skip
