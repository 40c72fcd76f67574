"""Conditional orders of USD-M: history in windows of seven days, and what waits now (binance.md 9).
They live in a service of their own since 2025-12-09."""

from collections.abc import Sequence
from functools import partial

from django.utils.translation import gettext_noop as _

from journal.books.protecting import protect_account
from journal.models import ConditionalOrder, Coverage, Market
from journal.sync import order_rows
from journal.sync.rows import Json
from journal.sync.run import Run
from journal.sync.saving_orders import save_conditionals
from journal.sync.spot import BAD_SYMBOLS, UNKNOWN_ORDERS, known_symbol
from journal.sync.usdm import KEPT_MS, MOST_PAGES, PAGE, is_unknown
from journal.sync.windows import read_windows
from market.binance.errors import Refused

# What it calls an order that waits.
WAITING = ("NEW", "TRIGGERING", "TRIGGERED")
MOST_LOST = 200


def read(run: Run, symbols: Sequence[str]) -> None:
    """Of the symbols that were ever traded, and of those where something waits now."""
    waiting = run.reader.read("/fapi/v1/openAlgoOrders")
    named = {*symbols, *(item["symbol"] for item in waiting)}
    floor = max(run.since_ms, run.now_ms - KEPT_MS)
    for symbol in sorted(named):
        row = run.coverage(Coverage.Kind.CONDITIONALS, Market.USDM, symbol)
        if is_unknown(run, row):
            continue
        run.say(_("Reading %(symbol)s: conditional orders"), symbol=symbol)
        with known_symbol(row):
            ask = partial(_ask, run, symbol)
            read_windows(run, row, 7, ask, _save, floor_ms=floor)
    read_waiting(run, waiting)


def read_waiting(run: Run, waiting: Sequence[Json] | None = None) -> None:
    """What waits now; what we think waits and is not among it is looked up."""
    page = run.reader.read("/fapi/v1/openAlgoOrders") if waiting is None else waiting
    save_conditionals([order_rows.conditional_order(run.account, item) for item in page])
    lost = ConditionalOrder.objects.filter(account=run.account, status__in=WAITING).exclude(
        algo_id__in=[item["algoId"] for item in page]
    )
    for order in lost[:MOST_LOST]:
        try:
            answer = run.reader.read("/fapi/v1/algoOrder", algoId=order.algo_id)
        except Refused as error:
            if error.code not in UNKNOWN_ORDERS | BAD_SYMBOLS:
                raise
            ConditionalOrder.objects.filter(pk=order.pk).update(status="UNKNOWN")
            continue
        save_conditionals([order_rows.conditional_order(run.account, answer)])
    protect_account(run.account)


def _ask(run: Run, symbol: str, start: int, end: int) -> list[ConditionalOrder]:
    """From the last id on until an answer is empty: a short page is no end."""
    path = "/fapi/v1/allAlgoOrders"
    page = run.reader.read(path, symbol=symbol, startTime=start, endTime=end, limit=PAGE)
    rows = list(page)
    for _page in range(MOST_PAGES):
        if not page or page[-1]["createTime"] > end:
            break
        next_id = max(item["algoId"] for item in page) + 1
        page = run.reader.read(
            path, symbol=symbol, algoId=next_id, startTime=start, endTime=end, limit=PAGE
        )
        page = [item for item in page if item["algoId"] >= next_id]
        rows += [item for item in page if item["createTime"] <= end]
    return [order_rows.conditional_order(run.account, item) for item in rows]


def _save(rows: Sequence[ConditionalOrder]) -> int:
    return len(save_conditionals(rows))
