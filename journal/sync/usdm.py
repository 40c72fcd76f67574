"""USD-M futures history: income first, since it names the symbols, then fills in windows of seven
days; what is older than three months comes as files (`older.py`)."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from django.utils.translation import gettext_noop as _

from journal.models import Coverage, Fill, FuturesPosition, Income, Market, Order, Sync
from journal.sync import order_rows, rows
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
    Ask,
    Save,
    pieces,
    read_window,
    read_windows,
    windows_left,
)
from lib.dates import to_ms

Kind = Coverage.Kind
PAGE = 1000
MOST_PAGES = 1000
# Binance's own answers reach back three months; a day less, so that no edge is missed.
KEPT_MS = 89 * DAY_MS


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
