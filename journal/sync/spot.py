"""Spot history: fills and orders, symbol by symbol, since Binance answers no other way
(binance.md 3.3). A symbol's fills are read from both ends: the newest thousand first, so that its
owner sees something at once, then from the oldest id on until they meet."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from journal.models import Balance, Coverage, Fill, Income, Market, Order, Sync, Transfer
from journal.sync import order_rows, rows
from journal.sync.run import Run
from journal.sync.saving import save_fills
from journal.sync.saving_orders import save_lists, save_orders
from market.binance.errors import Refused
from market.models import Instrument

Kind = Coverage.Kind
PAGE = 1000
A_DAY = timedelta(days=1)
MOST_PAGES = 5000
# The quotes in which a coin that somebody holds is likely to have been bought.
QUOTES = ("USDT", "USDC", "FDUSD", "BTC", "BNB", "ETH", "EUR", "TRY", "BUSD")
# Not listed, or not any more.
BAD_SYMBOLS = {-1121, -1122, -1220}
UNKNOWN_ORDERS = {-2013, -2026}
# An order that waits for another one of its list is open too.
OPEN = ["NEW", "PARTIALLY_FILLED", "PENDING_NEW"]
# notes of a coverage
UNKNOWN_SYMBOL, UNKNOWN_COINS = "unknown_symbol", "unknown_coins"
MOST_LEFT_OUT = 100


def propose_symbols(run: Run) -> dict[str, str]:
    """Symbol -> why it is asked for: found from what the account holds or moved, from what this
    server follows, and what its owner named; never every pair there is. What was once named or
    traded is asked for though it is not listed any more."""
    listed = run.listings[Market.SPOT]
    mine = Sync.objects.get(account=run.account)
    reasons = dict.fromkeys(mine.symbols, "chosen")
    known = Coverage.objects.filter(account=run.account, kind=Kind.FILLS, market=Market.SPOT)
    for symbol, reason in known.values_list("symbol", "reason"):
        reasons.setdefault(symbol, reason)
    followed = Instrument.objects.filter(market="spot", is_followed=True, venue=run.account.venue)
    for symbol in followed.values_list("symbol", flat=True):
        reasons.setdefault(symbol, "followed")
    traded = Fill.objects.filter(account=run.account, market=Market.SPOT)
    for symbol in traded.order_by("symbol").values_list("symbol", flat=True).distinct():
        reasons.setdefault(symbol, "stream")
    assets = [
        (Balance.objects.filter(account=run.account).exclude(wallet=Market.USDM), "balance"),
        (Transfer.objects.filter(account=run.account, kind="convert"), "convert"),
        (Transfer.objects.filter(account=run.account), "transfer"),
        (Income.objects.filter(account=run.account), "income"),
    ]
    for source, reason in assets:
        for asset in source.values_list("asset", flat=True).distinct():
            for quote in QUOTES:
                if f"{asset}{quote}" in listed:
                    reasons.setdefault(f"{asset}{quote}", reason)
    return reasons


def recent_symbols(run: Run) -> list[str]:
    """What was traded within a month, or has an open order."""
    mine = {"account": run.account, "market": Market.SPOT}
    fills = Fill.objects.filter(**mine, time__gte=run.now - timedelta(days=30))
    orders = Order.objects.filter(**mine, status__in=OPEN)
    return sorted(
        {name for rows_ in (fills, orders) for name in rows_.values_list("symbol", flat=True)}
    )


def read_newest(run: Run, symbols: dict[str, str]) -> None:
    """The newest thousand fills of each symbol."""
    for number, (symbol, reason) in enumerate(symbols.items()):
        row = run.coverage(Kind.FILLS, Market.SPOT, symbol, reason)
        is_forgotten = row.note and row.checked_at and row.checked_at < run.now - A_DAY
        if (row.newest_first_id is not None or row.checked_at is not None) and not is_forgotten:
            continue
        row.note = ""
        left = 3 * (len(symbols) - number)
        run.say(_("Reading %(symbol)s: the newest fills"), left, symbol=symbol)
        try:
            page = run.reader.read("/api/v3/myTrades", symbol=symbol, limit=PAGE)
        except Refused as error:
            if error.code not in BAD_SYMBOLS:
                raise
            page, row.note = [], UNKNOWN_SYMBOL
        _save_newest(run, row, page)


@transaction.atomic
def _save_newest(run: Run, row: Coverage, page: list[rows.Json]) -> None:
    """A short page is no end: what lies before it is asked for from the first id on."""
    save_page(run, row, page)
    if page:
        ids = [item["id"] for item in page]
        row.newest_first_id, row.newest_last_id = min(ids), max(ids)
    row.is_complete = row.note == UNKNOWN_SYMBOL
    row.cursor = 0
    row.checked_at = row.to_time = run.now
    row.save()


def read_forward(run: Run, symbols: Iterable[str]) -> int:
    """What is new since the last time. Returns how many fills there were."""
    count = 0
    for symbol in symbols:
        row = run.coverage(Kind.FILLS, Market.SPOT, symbol)
        if row.note == UNKNOWN_SYMBOL:
            continue
        run.say(_("Reading %(symbol)s: what is new"), symbol=symbol)
        first = -1 if row.newest_last_id is None else row.newest_last_id
        with known_symbol(row):
            for page in pages(run, row, first + 1):
                with transaction.atomic():
                    count += save_page(run, row, page)
                    _go_forward(row, page)
                    row.checked_at = run.now
                    row.save()
            row.checked_at = row.to_time = run.now
            row.save()
    return count


def read_back(run: Run, symbols: Iterable[str]) -> None:
    """From the oldest fill on, through the newest ones to the end."""
    for symbol in symbols:
        row = run.coverage(Kind.FILLS, Market.SPOT, symbol)
        if row.is_complete or row.note == UNKNOWN_SYMBOL:
            continue
        with known_symbol(row):
            for page in pages(run, row, row.cursor):
                with transaction.atomic():
                    save_page(run, row, page)
                    _go_forward(row, page)
                    row.cursor = max(item["id"] for item in page) + 1
                    row.checked_at = run.now
                    row.save()
            row.is_complete = True
            row.again_at = run.now
            row.checked_at = run.now
            row.save()


def read_again(run: Run, row: Coverage) -> int:
    """All of it once more, from the first id on. Returns how many fills were not known."""
    run.say(_("Reading %(symbol)s again"), symbol=row.symbol)
    count = 0
    with known_symbol(row):
        for page in pages(run, row, 0):
            with transaction.atomic():
                count += save_page(run, row, page)
                _go_forward(row, page)
                row.save()
    return count


def pages(run: Run, row: Coverage, from_id: int) -> Iterator[list[rows.Json]]:
    """Fills from an id on. An end is an empty answer: Binance has answered short pages with more
    behind them, for days."""
    for _page in range(MOST_PAGES):
        page = run.reader.read("/api/v3/myTrades", symbol=row.symbol, fromId=from_id, limit=PAGE)
        page = [item for item in page if item["id"] >= from_id]
        if not page:
            return
        yield page
        from_id = max(item["id"] for item in page) + 1
        run.say(
            _("Reading %(symbol)s: %(count)s fills, back to %(oldest)s"),
            symbol=row.symbol,
            count=row.rows,
            oldest=f"{row.oldest:%Y-%m-%d}" if row.oldest else "–",
        )


@contextmanager
def known_symbol(row: Coverage) -> Iterator[None]:
    """A symbol that was taken off the list stops nobody else's reading; it says so itself."""
    try:
        yield
    except Refused as error:
        if error.code not in BAD_SYMBOLS:
            raise
        row.note = UNKNOWN_SYMBOL
        row.checked_at = timezone.now()
        row.save(update_fields=["note", "checked_at"])


def _go_forward(row: Coverage, page: list[rows.Json]) -> None:
    ids = [item["id"] for item in page]
    row.newest_last_id = max(*ids, row.newest_last_id or 0)
    if row.newest_first_id is None:
        row.newest_first_id = min(ids)


def save_page(run: Run, row: Coverage, page: list[rows.Json]) -> int:
    """Returns how many were not known. Fills of coins that nothing names are listed as left out."""
    coins = run.coins(Market.SPOT, row.symbol)
    if coins is None:
        leave_out(row, [item["id"] for item in page])
        return 0
    fills = sorted(
        (rows.spot_fill(run.account, item, coins) for item in page), key=lambda fill: fill.trade_id
    )
    fresh = len(save_fills(run.account, fills))
    row.rows += fresh
    if fills:
        oldest = min(fill.time for fill in fills)
        row.oldest = row.from_time = min(row.oldest or oldest, oldest)
    return fresh


def leave_out(row: Coverage, ids: Iterable[int]) -> None:
    """Told by the exchange and not kept, since nothing says which coins they moved."""
    known = {item["id"] for item in row.left_out}
    fresh = [{"id": name, "reason": UNKNOWN_COINS} for name in ids if name not in known]
    row.left_out = [*row.left_out, *fresh][:MOST_LEFT_OUT]
    if row.left_out:
        row.note = UNKNOWN_COINS


def read_orders(run: Run, symbols: Iterable[str]) -> None:
    """Every order by id, oldest first, of the symbols that have fills; open ones of all."""
    traded = set(
        Fill.objects.filter(account=run.account, market=Market.SPOT)
        .values_list("symbol", flat=True)
        .distinct()
    )
    for symbol in [name for name in symbols if name in traded]:
        row = run.coverage(Kind.ORDERS, Market.SPOT, symbol)
        run.say(_("Reading %(symbol)s: orders"), symbol=symbol)
        with known_symbol(row):
            _read_orders(run, row)
    page = run.reader.read("/api/v3/openOrders")
    save_orders([order_rows.spot_order(run.account, item) for item in page])
    close_missing(run, Market.SPOT, "/api/v3/order", {item["orderId"] for item in page})
    _read_lists(run)


def _read_lists(run: Run) -> None:
    """Order lists by id, oldest first: they tell which orders belong together."""
    row = run.coverage(Kind.CONDITIONALS, Market.SPOT)
    for _page in range(MOST_PAGES):
        page = run.reader.read("/api/v3/allOrderList", fromId=row.cursor, limit=PAGE)
        page = [item for item in page if item["orderListId"] >= row.cursor]
        with transaction.atomic():
            save_lists([order_rows.order_list(run.account, item) for item in page])
            row.rows += len(page)
            if page:
                row.cursor = max(item["orderListId"] for item in page) + 1
            row.checked_at = row.to_time = run.now
            row.is_complete = not page
            row.save()
        if not page:
            break
    open_lists = run.reader.read("/api/v3/openOrderList")
    save_lists([order_rows.order_list(run.account, item) for item in open_lists])


def _read_orders(run: Run, row: Coverage) -> None:
    for _page in range(MOST_PAGES):
        page = run.reader.read(
            "/api/v3/allOrders", symbol=row.symbol, orderId=row.cursor, limit=PAGE
        )
        page = [item for item in page if item["orderId"] >= row.cursor]
        with transaction.atomic():
            save_orders([order_rows.spot_order(run.account, item) for item in page])
            row.rows += len(page)
            if page:
                row.cursor = max(item["orderId"] for item in page) + 1
            row.checked_at = row.to_time = run.now
            row.is_complete = not page
            row.save()
        if not page:
            break


def close_missing(run: Run, market: str, path: str, open_ids: set[int]) -> None:
    """Orders that we think are open and that the exchange does not list: each is looked up."""
    lost = Order.objects.filter(account=run.account, market=market, status__in=OPEN).exclude(
        order_id__in=open_ids
    )
    make = order_rows.spot_order if market == Market.SPOT else order_rows.usdm_order
    for order in lost[:200]:
        try:
            answer = run.reader.read(path, symbol=order.symbol, orderId=order.order_id)
        except Refused as error:
            if error.code not in UNKNOWN_ORDERS | BAD_SYMBOLS:
                raise
            Order.objects.filter(pk=order.pk).update(status="UNKNOWN")
            continue
        save_orders([make(run.account, answer)])
