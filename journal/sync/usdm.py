"""USD-M futures history: income first, since it names the symbols, then fills in windows of seven
days; what is older than three months comes as files (binance.md 5.3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_noop as _

from journal.models import Balance, Coverage, Fill, FuturesPosition, Income, Market, Order, Sync
from journal.sync import files, order_rows, rows
from journal.sync.run import Run
from journal.sync.saving import (
    save_balances,
    save_fills,
    save_income,
    save_positions,
)
from journal.sync.saving_orders import save_orders
from journal.sync.spot import A_DAY, UNKNOWN_SYMBOL, close_missing, known_symbol, leave_out
from journal.sync.windows import (
    DAY_MS,
    HOLE,
    Ask,
    Save,
    merged,
    pieces,
    read_window,
    read_windows,
    windows_left,
    without,
)
from lib.dates import from_ms, to_ms
from market.binance.errors import Refused

log = structlog.get_logger(__name__)

Kind = Coverage.Kind
PAGE = 1000
MOST_PAGES = 1000
# Binance's own answers reach back three months; a day less, so that no edge is missed.
KEPT_MS = 89 * DAY_MS
YEAR_MS = 364 * DAY_MS
# USD-M futures began on 8 September 2019.
FUTURES_OPENED_MS = 1_567_900_800_000
MOST_YEARS = 20
FILE_LOOKS = 100
FILE_PAUSE_SECONDS = 2.0


def read_balances(run: Run) -> None:
    """Wallet balances and open positions."""
    now = run.reader.exchange_now()
    answer = run.reader.read("/fapi/v3/account")
    zero = Decimal(0)
    held = {a["asset"]: (Decimal(a["walletBalance"]), zero) for a in answer["assets"]}
    save_balances(run.account, Market.USDM, held, now, is_whole=True)
    now = run.reader.exchange_now()
    positions = run.reader.read("/fapi/v3/positionRisk")
    configs = (
        {c["symbol"]: c for c in run.reader.read("/fapi/v1/symbolConfig")} if positions else {}
    )
    save_positions(
        run.account,
        [rows.position(run.account, p, configs.get(p["symbol"], {}), now) for p in positions],
        now,
    )
    Sync.objects.filter(account=run.account).update(positions_at=now)


def read_income(run: Run) -> None:
    row = run.coverage(Kind.INCOME, Market.USDM)
    floor = max(run.since_ms, run.now_ms - KEPT_MS)
    run.say(_("Reading futures income"), windows_left(run, row, 7, floor))
    save = partial(save_income, run.account)
    read_windows(run, row, 7, partial(_ask_income, run), save, floor_ms=floor)


def _ask_income(run: Run, start: int, end: int) -> list[Income]:
    """Pages by time: each goes on at the last moment of the one before, where the same rows come
    again, until one brings nothing new."""
    lines: dict[tuple[str, str, str], Income] = {}
    for _page in range(MOST_PAGES):
        page = run.reader.read("/fapi/v1/income", startTime=start, endTime=end, limit=PAGE)
        fresh = [rows.income(run.account, item) for item in page]
        known = len(lines)
        lines |= {(row.kind, row.external_id, row.asset): row for row in fresh}
        is_full = len(page) >= PAGE
        if not page or (len(lines) == known and not is_full):
            break
        last = max(item["time"] for item in page)
        # more rows in one ms than a page holds: what the exchange does not show cannot be read
        start = last + 1 if is_full and last <= start else max(start, last)
        if start > end:
            break
    return list(lines.values())


def find_symbols(run: Run) -> list[str]:
    """What was ever traded, as income, positions and files say, listed or not any more."""
    mine = {"account": run.account}
    sources = (
        Income.objects.filter(**mine),
        FuturesPosition.objects.filter(**mine),
        Fill.objects.filter(**mine, market=Market.USDM),
        Coverage.objects.filter(**mine, market=Market.USDM),
    )
    names = {name for source in sources for name in source.values_list("symbol", flat=True)}
    return sorted(names - {""})


def read_fills(run: Run, symbols: Sequence[str]) -> None:
    floor = max(run.since_ms, run.now_ms - KEPT_MS)
    for number, symbol in enumerate(symbols):
        row = run.coverage(Kind.FILLS, Market.USDM, symbol, "income")
        if is_unknown(run, row):
            continue
        left = windows_left(run, row, 7, floor) * (len(symbols) - number)
        run.say(_("Reading %(symbol)s futures"), left, symbol=symbol)
        with known_symbol(row):
            read_windows(
                run,
                row,
                7,
                partial(_ask_fills, run, row),
                partial(_save_fills, run),
                floor_ms=floor,
            )


def read_again(run: Run, row: Coverage) -> int:
    """All windows of a coverage of fills or income once more, as far back as the exchange keeps
    them. Returns how many rows were not known."""
    if row.from_time is None:
        return 0
    floor = max(to_ms(row.from_time), run.now_ms - KEPT_MS)
    if row.kind == Kind.INCOME:
        run.say(_("Reading futures income"))
        ask: Ask = partial(_ask_income, run)
        save: Save = partial(save_income, run.account)
    else:
        run.say(_("Reading %(symbol)s again"), symbol=row.symbol)
        ask, save = partial(_ask_fills, run, row), partial(_save_fills, run)
    count = 0
    with known_symbol(row):
        for start, end in pieces(floor, run.now_ms, 7 * DAY_MS):
            count += read_window(row, ask, save, start, end)
    return count


def is_unknown(run: Run, row: Coverage) -> bool:
    """The exchange said within the day that there is no such symbol."""
    checked_at = row.checked_at
    if row.note != UNKNOWN_SYMBOL or checked_at is None:
        return False
    if checked_at > run.now - A_DAY:
        return True
    row.note = ""
    return False


def _ask_fills(run: Run, row: Coverage, start: int, end: int) -> list[Fill]:
    """Goes on from the last id, as far as the window reaches, until an answer is empty: a short
    page is no end."""
    path, symbol = "/fapi/v1/userTrades", row.symbol
    page = run.reader.read(path, symbol=symbol, startTime=start, endTime=end, limit=PAGE)
    told = list(page)
    for _page in range(MOST_PAGES):
        if not page or page[-1]["time"] > end:
            break
        next_id = max(item["id"] for item in page) + 1
        page = run.reader.read(path, symbol=symbol, fromId=next_id, limit=PAGE)
        page = [item for item in page if item["id"] >= next_id]
        told += [item for item in page if item["time"] <= end]
    coins = run.coins(Market.USDM, symbol)
    if coins is None:
        leave_out(row, [item["id"] for item in told])
        return []
    return [rows.usdm_fill(run.account, item, coins) for item in told]


def _save_fills(run: Run, fills: list[Fill]) -> int:
    return len(save_fills(run.account, fills))


def read_orders(run: Run, symbols: Sequence[str]) -> None:
    floor = max(run.since_ms, run.now_ms - KEPT_MS)
    for symbol in symbols:
        row = run.coverage(Kind.ORDERS, Market.USDM, symbol)
        if is_unknown(run, row):
            continue
        run.say(_("Reading %(symbol)s: orders"), symbol=symbol)
        with known_symbol(row):
            ask = partial(_ask_orders, run, symbol)
            read_windows(run, row, 7, ask, _save_orders, floor_ms=floor)
    page = run.reader.read("/fapi/v1/openOrders")
    save_orders([order_rows.usdm_order(run.account, item) for item in page])
    close_missing(run, Market.USDM, "/fapi/v1/order", {item["orderId"] for item in page})


def _ask_orders(run: Run, symbol: str, start: int, end: int) -> list[Order]:
    """As fills: from the last id on until an answer is empty."""
    path = "/fapi/v1/allOrders"
    page = run.reader.read(path, symbol=symbol, startTime=start, endTime=end, limit=PAGE)
    rows = list(page)
    for _page in range(MOST_PAGES):
        if not page or page[-1]["time"] > end:
            break
        next_id = max(item["orderId"] for item in page) + 1
        page = run.reader.read(path, symbol=symbol, orderId=next_id, limit=PAGE)
        page = [item for item in page if item["orderId"] >= next_id]
        rows += [item for item in page if item["time"] <= end]
    return [order_rows.usdm_order(run.account, item) for item in rows]


def _save_orders(orders: list[Order]) -> int:
    save_orders(orders)
    return len(orders)


def ask_ahead(run: Run) -> None:
    """Have the exchange make the next files that `read_older` will want, as far as there is weight
    for it now: each costs half a minute's, and is made while other things are read."""
    row = run.coverage(Kind.INCOME, Market.USDM)
    floor = max(run.since_ms, FUTURES_OPENED_MS)
    sync = Sync.objects.get(account=run.account)
    is_later = sync.older_after is not None and sync.older_after > run.now
    if is_later or row.holes or row.from_time is None or to_ms(row.from_time) <= floor:
        return
    if _adds_up(run):
        return
    start, end = _year_before(row.from_time, floor)
    for kind in ("income", "trade"):
        if _asked_for(kind, start, end) in sync.downloads:
            continue
        path = f"/fapi/v1/{kind}/asyn"
        try:
            answer = run.reader.read_if_room(path, startTime=start, endTime=end)
        except Refused as error:  # told and waited out where the file is wanted
            log.info("file not asked for ahead", error=str(error)[:200])
            return
        if answer is None:
            return
        sync.downloads[_asked_for(kind, start, end)] = answer["downloadId"]
        sync.save(update_fields=["downloads"])


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
    floor = max(run.since_ms, FUTURES_OPENED_MS)
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


def _year_before(time: datetime, floor: int) -> tuple[int, int]:
    end = to_ms(time)
    return max(floor, end - YEAR_MS), end


def _ask_stretch(run: Run, start: int, end: int) -> tuple[list[Income], list[Fill]]:
    """What the exchange's files say of at most a year."""
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
        if answer.get("status") == "completed" and answer.get("url"):
            body = run.reader.download(answer["url"])
            sync.downloads.pop(what, None)
            sync.save(update_fields=["downloads"])
            return body
        run.reader.pause(FILE_PAUSE_SECONDS, run.note)
    raise Refused(0, f"expected the file of {kind} history within minutes")
