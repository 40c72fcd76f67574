"""What you traded (as the exchange says it, as the ledger sees it) and what you learned."""

from journal.models.checkpoints import Checkpoint
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
    Wallet,
)
from journal.models.flows import FillFlow, FlowDay
from journal.models.grouping import FillMark, TradeMerge, TradeSplit
from journal.models.guests import Guest
from journal.models.insights import InsightPart, InsightTrades, TradesVersion
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
from journal.models.openings import OpeningBalance, OpeningPosition, SeenRules, StatedCost
from journal.models.results import LedgerProblem, OpenPosition, Payment, Realized
from journal.models.syncing import Coverage, Difference, Sync
from journal.models.trades import Book, Trade, TradeFill
from journal.models.uploads import Rejected, Upload, Witness
from journal.models.waiting import ConditionalOrder, OrderList
from journal.models.watching import WatchedMarket, Watchlist

__all__ = [
    "Annotation",
    "AssetPrice",
    "Balance",
    "Book",
    "Checkpoint",
    "ConditionalOrder",
    "Coverage",
    "DailyBalance",
    "DayNote",
    "Difference",
    "Fill",
    "FillFlow",
    "FillMark",
    "FlowDay",
    "FuturesPosition",
    "Guest",
    "Income",
    "InsightPart",
    "InsightTrades",
    "LedgerProblem",
    "ManualFill",
    "Market",
    "NoteTemplate",
    "OpenPosition",
    "OpeningBalance",
    "OpeningPosition",
    "Order",
    "OrderList",
    "Payment",
    "Preferences",
    "Realized",
    "Rejected",
    "SavedView",
    "Screenshot",
    "SeenRules",
    "Setup",
    "Source",
    "StatedCost",
    "Sync",
    "Tag",
    "Trade",
    "TradeFill",
    "TradeMerge",
    "TradeSplit",
    "TradesVersion",
    "Transfer",
    "Upload",
    "Wallet",
    "WatchedMarket",
    "Watchlist",
    "Witness",
]
