"""What was read is read again: absence is never concluded from one answer (Binance has answered
short pages for days). Ids make it free of doubles."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from journal.models import Coverage, Difference, Market
from journal.sync import spot, usdm, wallets
from journal.sync.run import Run

log = structlog.get_logger(__name__)

Kind = Coverage.Kind
# Of these every run asks for the newest month again; a difference for all that was read.
MOVEMENTS = frozenset({*wallets.CHEAP, *wallets.DEAR})
A_DAY = timedelta(days=1)
# What finds nothing waits twice as long, up to 32 days.
MOST_DOUBLINGS = 5
# Without a difference: so many a run, so that they spread over the day.
MOST_DAILY = 10
DAILY = "daily"
NO_DIFFERENCE = ("", "rounding")


def read_again(run: Run) -> int:
    """Whatever is due: where a balance differs, and once a day what does not. Returns how many rows
    were not known."""
    differs = _differences(run)
    due = [(row, why) for row in _covered(run) if (why := _reason(run, row, differs))]
    urgent = [item for item in due if item[1] != DAILY]
    daily = [item for item in due if item[1] == DAILY]
    daily.sort(key=lambda item: item[0].again_at or run.now)
    return sum(_read(run, row, why) for row, why in [*urgent, *daily[:MOST_DAILY]])


def _covered(run: Run) -> list[Coverage]:
    """What was read to its beginning: fills of both markets, futures income, what moved a coin
    without an order."""
    kinds = [Kind.FILLS, Kind.INCOME, *MOVEMENTS]
    rows = Coverage.objects.filter(account=run.account, is_complete=True, kind__in=kinds).exclude(
        note=spot.UNKNOWN_SYMBOL
    )
    return [row for row in rows if row.market != Market.USDM or Market.USDM in run.listings]


def _differences(run: Run) -> dict[tuple[str, str], str]:
    """(wallet, asset) -> by how much it is off, as text."""
    rows = Difference.objects.filter(account=run.account).exclude(cause__in=NO_DIFFERENCE)
    return {(row.wallet, row.asset): f"{row.asset} {row.difference.normalize()}" for row in rows}


def _reason(run: Run, row: Coverage, differs: dict[tuple[str, str], str]) -> str:
    """Why it is due: the difference, or `daily`; empty: it is not. At most once a day, and the
    same difference after growing pauses; only the first one of all is followed at once, where that
    is cheap."""
    why = ", ".join(sorted(_told_by(run, row, differs)))[:120]
    is_dear = row.kind in MOVEMENTS  # withdrawals cost a minute's weight for ten windows
    if why and row.again_why == "" and not is_dear:
        return why
    pause = A_DAY * 2 ** min(row.again_in_vain, MOST_DOUBLINGS)
    if why and why != row.again_why:
        pause = A_DAY
    if row.again_at is not None and row.again_at > run.now - pause:
        return ""
    if not why and (is_dear or not row.rows):
        return ""
    return why or DAILY


def _told_by(run: Run, row: Coverage, differs: dict[tuple[str, str], str]) -> Iterable[str]:
    """The differences that rows of this coverage could explain."""
    if row.market == Market.USDM:
        return [text for (wallet, _asset), text in differs.items() if wallet == Market.USDM]
    if row.kind in MOVEMENTS:
        return [text for (wallet, _asset), text in differs.items() if wallet == Market.SPOT]
    coins = run.coins(Market.SPOT, row.symbol) or ()
    return [differs[Market.SPOT, coin] for coin in coins if (Market.SPOT, coin) in differs]


def _reader_of(row: Coverage) -> Callable[[Run, Coverage], int]:
    if row.kind in MOVEMENTS:
        return wallets.read_again
    return spot.read_again if row.market == Market.SPOT else usdm.read_again


def _read(run: Run, row: Coverage, why: str) -> int:
    count = _reader_of(row)(run, row)
    is_other = why != row.again_why
    row.again_in_vain = 0 if count else 1 if is_other else row.again_in_vain + 1
    row.again_at, row.again_why = run.now, why
    row.save(update_fields=["again_at", "again_why", "again_in_vain"])
    log.info("read again", account=str(run.account.pk), symbol=row.symbol, why=why, found=count)
    return count
