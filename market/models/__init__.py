"""What the exchange says, as it is kept for good. No user data here."""

from market.models.archives import ArchiveFile, ImportJob, Retention
from market.models.backups import BackupRun
from market.models.bars import ArchiveHour, CoveredSpan, Gap, MinuteAudit, SecondBar, TapeState
from market.models.collecting import CollectorLease, CollectorWorker, ExchangeBan, Trouble
from market.models.instruments import Instrument, Listing
from market.models.marks import FundingRate, MarkPrice
from market.models.past import PastBar, PastNews, PastSpan

__all__ = [
    "ArchiveFile",
    "ArchiveHour",
    "BackupRun",
    "CollectorLease",
    "CollectorWorker",
    "CoveredSpan",
    "ExchangeBan",
    "FundingRate",
    "Gap",
    "ImportJob",
    "Instrument",
    "Listing",
    "MarkPrice",
    "MinuteAudit",
    "PastBar",
    "PastNews",
    "PastSpan",
    "Retention",
    "SecondBar",
    "TapeState",
    "Trouble",
]
