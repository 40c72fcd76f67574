"""Futures history of more than three months ago: files of at most a year, which the exchange makes
for us (binance.md 5.3). They are asked for, and taken, while other budgets are waited for."""

from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_noop as _

from journal.models import Balance, Coverage, Fill, Income, Market, Sync
from journal.sync import files
from journal.sync.doorkeeping import wait_for_turn
from journal.sync.run import Run
from journal.sync.saving import save_fills, save_income
from journal.sync.windows import DAY_MS, HOLE, merged, pieces, without
from lib.dates import from_ms, to_ms
from market.binance.errors import ExchangeError, Refused

log = structlog.get_logger(__name__)

Kind = Coverage.Kind
YEAR_MS = 364 * DAY_MS
# USD-M futures began on 8 September 2019.
FUTURES_OPENED_MS = 1_567_900_800_000
MOST_YEARS = 20
# What the exchange makes for us of a year.
KINDS = ("income", "trade")
FILE_LOOKS = 100
FILE_PAUSE_SECONDS = 2.0
LOOK_AHEAD_SECONDS = 5.0


class Ahead:
    """What of it can be done while a run waits for another budget (`Run.meanwhile`): have the next
    year's files made, as far as there is weight for it now (each costs half a minute's), and take
    them once they are made. What fails here is told where `read_older` wants it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._is_at_work = self._is_over = False
        self._look_at = 0.0

    def __call__(self) -> None:
        if self._is_at_work or self._is_over:
            return
        note, values = self._run.note, self._run.values
        self._is_at_work = True
        try:
            self._step()
        except (ExchangeError, files.NotAFile) as error:
            log.info("older files not read ahead", error=str(error)[:200])
            self._is_over = True
        finally:
            self._is_at_work = False
            self._run.note, self._run.values = note, values

    def _step(self) -> None:
        run = self._run
        row = run.coverage(Kind.INCOME, Market.USDM)
        floor = _floor(run)
        sync = Sync.objects.get(account=run.account)
        is_later = sync.older_after is not None and sync.older_after > run.now
        if is_later or row.holes or row.from_time is None or to_ms(row.from_time) <= floor:
            return
        if _adds_up(run):
            return
        start, end = _year_before(row.from_time, floor)
        if not _have_made(run, sync, start, end) or monotonic() < self._look_at:
            return
        self._look_at = monotonic() + LOOK_AHEAD_SECONDS
        if _are_made(run, sync, start, end):
            _read_year(run, row, floor)


def _have_made(run: Run, sync: Sync, start: int, end: int) -> bool:
    """Ask for the files that were not asked for yet; whether all are. Raises Refused."""
    for kind in KINDS:
        if _asked_for(kind, start, end) in sync.downloads:
            continue
        answer = run.reader.read_if_room(f"/fapi/v1/{kind}/asyn", startTime=start, endTime=end)
        if answer is None:
            return False
        sync.downloads[_asked_for(kind, start, end)] = answer["downloadId"]
        sync.save(update_fields=["downloads"])
    return True


def _are_made(run: Run, sync: Sync, start: int, end: int) -> bool:
    for kind in KINDS:
        name = sync.downloads[_asked_for(kind, start, end)]
        answer = run.reader.read_if_room(f"/fapi/v1/{kind}/asyn/id", downloadId=name)
        if answer is None or not _is_made(answer):
            return False
    return True


def read_older(run: Run) -> None:
    """What is older than three months: files of at most a year, made by the exchange. First what
    was not read in time and lies between what is known; then, while what is known does not add up
    to what the wallet holds, year after year; then, since a wallet may have been empty in between,
    one more year each time, until futures began."""
    sync = Sync.objects.get(account=run.account)
    if sync.older_after is not None and sync.older_after > run.now:
        return
    try:
        _fill_holes(run)
        _read_years(run)
    except (Refused, files.NotAFile) as error:  # a month's files are few: not again and again
        row = run.coverage(Kind.INCOME, Market.USDM)
        row.note = HOLE if row.holes else str(error)[:200]
        row.save(update_fields=["note"])
        log.warning("older futures history waits", error=str(error)[:200])
        Sync.objects.filter(account=run.account).update(older_after=run.now + timedelta(days=1))


def _fill_holes(run: Run) -> None:
    """One file of income and one of fills tell a stretch of all symbols."""
    covered = Coverage.objects.filter(account=run.account, market=Market.USDM)
    mine = list(covered.filter(kind__in=[Kind.INCOME, Kind.FILLS]))
    for start, end in merged(hole for row in mine for hole in row.holes):
        for first, last in pieces(start, end, YEAR_MS):
            income, fills = _ask_stretch(run, first, last)
            with transaction.atomic():
                save_income(run.account, income)
                save_fills(run.account, fills)
                for row in mine:
                    row.holes = without(row.holes, first, last)
                    row.note = row.note if row.holes or row.note != HOLE else ""
                    row.save(update_fields=["holes", "note"])


def _read_years(run: Run) -> None:
    row = run.coverage(Kind.INCOME, Market.USDM)
    floor = _floor(run)
    for _year in range(MOST_YEARS):
        if row.from_time is None or to_ms(row.from_time) <= floor:
            break
        is_urgent = not _adds_up(run)
        if not is_urgent and row.note != "older":
            row.note = "older"  # the next run goes on
            row.save(update_fields=["note"])
            break
        _read_year(run, row, floor)
        if not is_urgent:
            break
    if row.note == "older" and row.from_time and to_ms(row.from_time) <= floor:
        row.note = ""
        row.save(update_fields=["note"])


def _read_year(run: Run, row: Coverage, floor: int) -> None:
    assert row.from_time is not None
    start, end = _year_before(row.from_time, floor)
    income, fills = _ask_stretch(run, start, end)
    _save_older(run, row, income, fills, start)


def _floor(run: Run) -> int:
    return max(run.since_ms, FUTURES_OPENED_MS)


def _year_before(time: datetime, floor: int) -> tuple[int, int]:
    end = to_ms(time)
    return max(floor, end - YEAR_MS), end


def _ask_stretch(run: Run, start: int, end: int) -> tuple[list[Income], list[Fill]]:
    """What the exchange's files say of at most a year. Raises Busy before any is fetched."""
    wait_for_turn(run.account)
    income = files.read_income(run.account, _file(run, "income", start, end))
    if not income:  # whoever traded paid commission
        return [], []
    body = _file(run, "trade", start, end)
    return income, files.read_fills(run.account, body, run.listings[Market.USDM])


@transaction.atomic
def _save_older(
    run: Run, row: Coverage, income: list[Income], fills: list[Fill], start: int
) -> None:
    row.rows += save_income(run.account, income)
    save_fills(run.account, fills)
    for symbol in {fill.symbol for fill in fills}:
        _cover_older(run, symbol, [fill for fill in fills if fill.symbol == symbol], start)
    row.from_time = from_ms(start)
    if income:
        oldest = min(item.time for item in income)
        row.oldest = min(row.oldest or oldest, oldest)
    row.save()


def _adds_up(run: Run) -> bool:
    """Every asset of the wallet is the sum of its known lines."""
    sums = Income.objects.filter(account=run.account).values("asset").annotate(sum=Sum("amount"))
    known = {item["asset"]: item["sum"] for item in sums.order_by() if item["sum"]}
    held = Balance.objects.filter(account=run.account, wallet=Market.USDM)
    return known == {row.asset: row.total for row in held if row.total}


def _cover_older(run: Run, symbol: str, fills: list[Fill], start_ms: int) -> None:
    row = run.coverage(Kind.FILLS, Market.USDM, symbol, "income")
    oldest = min(fill.time for fill in fills)
    row.from_time = min(row.from_time or from_ms(start_ms), from_ms(start_ms))
    row.to_time = row.to_time or run.now
    row.oldest = min(row.oldest or oldest, oldest)
    row.rows = Fill.objects.filter(account=run.account, market=Market.USDM, symbol=symbol).count()
    row.save()


def _asked_for(kind: str, start: int, end: int) -> str:
    """What names a file among those that the exchange makes for us."""
    return f"{kind}:{start}:{end}"


def _file(run: Run, kind: str, start: int, end: int) -> bytes:
    """Asked for once, waited for, fetched; a killed run goes on with the same file. Raises Refused
    when it is not ready in time."""
    run.say(_("Waiting for Binance's file of older futures history"))
    sync = Sync.objects.get(account=run.account)
    what = _asked_for(kind, start, end)
    name = sync.downloads.get(what)
    if name is None:
        answer = run.reader.read(f"/fapi/v1/{kind}/asyn", startTime=start, endTime=end)
        name = sync.downloads[what] = answer["downloadId"]
        sync.save(update_fields=["downloads"])
    for _look in range(FILE_LOOKS):
        answer = run.reader.read(f"/fapi/v1/{kind}/asyn/id", downloadId=name)
        if _is_made(answer):
            body = run.reader.download(answer["url"])
            sync.downloads.pop(what, None)
            sync.save(update_fields=["downloads"])
            return body
        run.reader.pause(FILE_PAUSE_SECONDS, run.note)
    raise Refused(0, f"expected the file of {kind} history within minutes")


def _is_made(answer: dict[str, str]) -> bool:
    return answer.get("status") == "completed" and bool(answer.get("url"))
