"""Spot history: fills and orders, symbol by symbol, since Binance answers no other way
(binance.md 3.3). A symbol's fills are read from both ends: the newest thousand first, so that its
owner sees something at once, then from the oldest id on until they meet."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_noop as _

from journal.models import Balance, Coverage, Fill, Income, Market, Order, Sync, Transfer
from journal.sync import rows
from journal.sync.run import Run
from journal.sync.saving import save_balances, save_fills, save_orders
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


def read_balances(run: Run) -> None:
    now = run.reader.exchange_now()
    said = run.reader.read("/api/v3/account", omitZeroBalances=True)
    held = {b["asset"]: (Decimal(b["free"]), Decimal(b["locked"]))
            for b in said["balances"]}  # fmt: skip
    save_balances(run.account, Market.SPOT, held, now, is_whole=True)


def propose_symbols(run: Run) -> dict[str, str]:
    """Symbol -> why it is asked for: found from what the account holds or moved, from what this
    server follows, and what its owner named; never every pair there is."""
    listed = run.listings[Market.SPOT]
    mine = Sync.objects.get(account=run.account)
    found = {symbol: "chosen" for symbol in mine.symbols if symbol in listed}
    known = Coverage.objects.filter(account=run.account, kind=Kind.FILLS, market=Market.SPOT)
    for symbol, reason in known.values_list("symbol", "reason"):
        found.setdefault(symbol, reason)
    followed = Instrument.objects.filter(market="spot", is_followed=True, venue=run.account.venue)
    for symbol in followed.values_list("symbol", flat=True):
        found.setdefault(symbol, "followed")
    traded = Fill.objects.filter(account=run.account, market=Market.SPOT)
    for symbol in traded.order_by("symbol").values_list("symbol", flat=True).distinct():
        found.setdefault(symbol, "stream")
    assets = [
        (Balance.objects.filter(account=run.account, wallet=Market.SPOT), "balance"),
        (Transfer.objects.filter(account=run.account, kind="convert"), "convert"),
        (Transfer.objects.filter(account=run.account), "transfer"),
        (Income.objects.filter(account=run.account), "income"),
    ]
    for source, reason in assets:
        for asset in source.values_list("asset", flat=True).distinct():
            for quote in QUOTES:
                if f"{asset}{quote}" in listed:
                    found.setdefault(f"{asset}{quote}", reason)
    return found


def recent_symbols(run: Run) -> list[str]:
    """What was traded within a month, or has an open order."""
    mine = {"account": run.account, "market": Market.SPOT}
    fills = Fill.objects.filter(**mine, time__gte=run.now - timedelta(days=30))
    orders = Order.objects.filter(**mine, status__in=["NEW", "PARTIALLY_FILLED"])
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
        left = 2 * (len(symbols) - number)
        run.say(_("Reading %(symbol)s: the newest fills"), left, symbol=symbol)
        try:
            page = run.reader.read("/api/v3/myTrades", symbol=symbol, limit=PAGE)
        except Refused as error:
            if error.code not in BAD_SYMBOLS:
                raise
            page, row.note = [], "unknown_symbol"
        _save_newest(run, row, page)


@transaction.atomic
def _save_newest(run: Run, row: Coverage, page: list[rows.Json]) -> None:
    found = _save(run, row, page)
    if found:
        row.newest_first_id, row.newest_last_id = found[0].trade_id, found[-1].trade_id
    row.is_complete = len(page) < PAGE
    row.cursor = found[-1].trade_id + 1 if found and row.is_complete else 0
    row.checked_at = row.to_time = run.now
    row.save()


def read_forward(run: Run, symbols: Iterable[str]) -> int:
    """What is new since the last time. Returns how many fills there were."""
    count = 0
    for symbol in symbols:
        row = run.coverage(Kind.FILLS, Market.SPOT, symbol)
        if row.note:
            continue
        run.say(_("Reading %(symbol)s: what is new"), symbol=symbol)
        with known_symbol(row):
            count += _read_from(run, row, (row.newest_last_id or -1) + 1, forward=True)
    return count


def read_back(run: Run, symbols: Iterable[str]) -> None:
    """From the oldest fill on, until it meets the newest ones."""
    for symbol in symbols:
        row = run.coverage(Kind.FILLS, Market.SPOT, symbol)
        if not row.is_complete and not row.note:
            with known_symbol(row):
                _read_from(run, row, row.cursor, forward=False)


@contextmanager
def known_symbol(row: Coverage) -> Iterator[None]:
    """A symbol that was taken off the list stops nobody else's reading; it says so itself."""
    try:
        yield
    except Refused as error:
        if error.code not in BAD_SYMBOLS:
            raise
        row.note = "unknown_symbol"
        row.save(update_fields=["note"])


def _read_from(run: Run, row: Coverage, from_id: int, *, forward: bool) -> int:
    count = 0
    for _page in range(MOST_PAGES):
        page = run.reader.read("/api/v3/myTrades", symbol=row.symbol, fromId=from_id, limit=PAGE)
        with transaction.atomic():
            found = _save(run, row, page)
            count += len(found)
            last = found[-1].trade_id if found else from_id - 1
            from_id = last + 1
            if forward:
                _go_forward(row, found)
            else:
                row.cursor = from_id
                limit = row.newest_first_id
                row.is_complete = len(page) < PAGE or (limit is not None and last >= limit)
            row.checked_at = run.now
            if forward and len(page) < PAGE:
                row.to_time = run.now
            row.save()
        run.say(
            _("Reading %(symbol)s: %(count)s fills, back to %(oldest)s"),
            symbol=row.symbol, count=row.rows,
            oldest=f"{row.oldest:%Y-%m-%d}" if row.oldest else "–",
        )  # fmt: skip
        if len(page) < PAGE or (not forward and row.is_complete):
            break
    return count


def _go_forward(row: Coverage, found: list[Fill]) -> None:
    if found:
        row.newest_last_id = found[-1].trade_id
        if row.newest_first_id is None:
            row.newest_first_id = found[0].trade_id


def _save(run: Run, row: Coverage, page: list[rows.Json]) -> list[Fill]:
    listing = run.listings[Market.SPOT].get(row.symbol)
    if listing is None:
        return []
    found = sorted((rows.spot_fill(run.account, item, listing) for item in page),
                   key=lambda fill: fill.trade_id)  # fmt: skip
    row.rows += len(save_fills(run.account, found))
    if found:
        oldest = min(fill.time for fill in found)
        row.oldest = row.from_time = min(row.oldest or oldest, oldest)
    return found


def read_orders(run: Run, symbols: Iterable[str]) -> None:
    """Every order by id, oldest first, of the symbols that have fills; open ones of all."""
    traded = set(Fill.objects.filter(account=run.account, market=Market.SPOT)
                 .values_list("symbol", flat=True).distinct())  # fmt: skip
    for symbol in [name for name in symbols if name in traded]:
        row = run.coverage(Kind.ORDERS, Market.SPOT, symbol)
        run.say(_("Reading %(symbol)s: orders"), symbol=symbol)
        with known_symbol(row):
            _read_orders(run, row)
    page = run.reader.read("/api/v3/openOrders")
    save_orders([rows.spot_order(run.account, item) for item in page])
    close_missing(run, Market.SPOT, "/api/v3/order", {item["orderId"] for item in page})


def _read_orders(run: Run, row: Coverage) -> None:
    for _page in range(MOST_PAGES):
        page = run.reader.read(
            "/api/v3/allOrders", symbol=row.symbol, orderId=row.cursor, limit=PAGE
        )
        with transaction.atomic():
            save_orders([rows.spot_order(run.account, item) for item in page])
            row.rows += sum(item["orderId"] >= row.cursor for item in page)
            if page:
                row.cursor = max(item["orderId"] for item in page) + 1
            row.checked_at = row.to_time = run.now
            row.is_complete = len(page) < PAGE
            row.save()
        if len(page) < PAGE:
            break


def close_missing(run: Run, market: str, path: str, open_ids: set[int]) -> None:
    """Orders that we think are open and that the exchange does not list: each is looked up."""
    lost = Order.objects.filter(
        account=run.account, market=market, status__in=["NEW", "PARTIALLY_FILLED"]
    ).exclude(order_id__in=open_ids)
    make = rows.spot_order if market == Market.SPOT else rows.usdm_order
    for order in lost[:200]:
        try:
            said = run.reader.read(path, symbol=order.symbol, orderId=order.order_id)
        except Refused as error:
            if error.code not in UNKNOWN_ORDERS | BAD_SYMBOLS:
                raise
            Order.objects.filter(pk=order.pk).update(status="UNKNOWN")
            continue
        save_orders([make(run.account, said)])
