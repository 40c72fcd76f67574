"""Files of the archive in the layout of Binance Vision, made from the same tapes that REST answers
from: byte for byte the same whenever they are made, so that a checksum stays true.

Spot's files have no header and microseconds, futures' have one and milliseconds. Source: github
binance/binance-public-data.
"""

import calendar
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path

from simulator.amounts import product_text
from simulator.klines import (
    DAY_US,
    HOUR_US,
    LENGTHS,
    Stretches,
    is_hidden,
    is_left_out,
    klines,
    row,
)
from simulator.listing import SPOT, USDM, Listing
from simulator.sources.past import PastTrades
from simulator.tape import MARKET, AggTrade, Tape, Trade

TRADES, AGG_TRADES, KLINES = "trades", "aggTrades", "klines"
MONTH = "1mo"
HEADERS = {
    TRADES: "id,price,qty,quote_qty,time,is_buyer_maker",
    AGG_TRADES: (
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
    ),
    KLINES: (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
        "taker_buy_quote_volume,ignore"
    ),
}
PATH = re.compile(
    r"data/(?P<market>spot|futures/um)/(?P<period>daily|monthly)/"
    r"(?:(?P<kind>trades|aggTrades)/(?P<symbol>[A-Z0-9]+)"
    r"|klines/(?P<of>[A-Z0-9]+)/(?P<interval>[0-9a-z]+))/"
    r"(?P<name>[A-Z0-9]+-[0-9a-zA-Z]+)-(?P<date>\d{4}-\d\d(?:-\d\d)?)\.zip",
    re.ASCII,
)


@dataclass(frozen=True)
class Wanted:
    """A file: `interval` only of candles; from the first day (inclusive) to the last (exclusive),
    epoch us."""

    market: str
    kind: str
    symbol: str
    interval: str
    name: str
    start_us: int
    end_us: int


def wanted(path: str) -> Wanted | None:
    """What a path names; None for one that no archive has."""
    match = PATH.fullmatch(path)
    if match is None:
        return None
    kind, symbol = match["kind"] or KLINES, match["symbol"] or match["of"]
    interval = (match["interval"] or "").replace(MONTH, "1M")
    days = _days(match["date"], is_monthly=match["period"] == "monthly")
    if match["name"] != f"{symbol}-{match['interval'] or kind}" or days is None:
        return None
    if kind == KLINES and (interval not in LENGTHS or match["interval"] == "1M"):
        return None
    market = SPOT if match["market"] == "spot" else USDM
    name = f"{match['name']}-{match['date']}"
    return Wanted(market, kind, symbol, interval, name, *days)


def _days(text: str, *, is_monthly: bool) -> tuple[int, int] | None:
    parts = [int(part) for part in text.split("-")]
    if len(parts) != (2 if is_monthly else 3):
        return None
    year, month, day = (*parts, 1) if is_monthly else parts
    try:
        first = date(year, month, day)
    except ValueError:
        return None
    length = calendar.monthrange(first.year, first.month)[1] if is_monthly else 1
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1_000_000
    return start, start + length * DAY_US


def is_known(item: Wanted, tape: Tape, now_us: int, hidden: Stretches) -> bool:
    """Whether a file is there: its days are over, the symbol was listed on the last of them, and
    nothing of it is forgotten."""
    if item.end_us > now_us // DAY_US * DAY_US:
        return False
    if any(start <= 0 and item.end_us <= end for start, end in hidden):
        return False
    past = tape.sums_before
    if isinstance(past, PastTrades) and item.end_us <= past.start_us:
        return False
    if item.kind == KLINES:
        return next(klines(tape, "1d", item.start_us, item.end_us - 1), None) is not None
    first = tape.first_at_or_after(item.start_us)
    if first > tape.last_id or tape.first_at_or_after(item.end_us) == 1:
        return False
    # a day's trades are all there when the one before them is known, or they are the first of all
    return tape.knows(first - 1) or first == 1


def write(
    path: Path, item: Wanted, tape: Tape, rules: Listing, hidden: Stretches, every: int
) -> None:
    """A zip with one CSV; of candles one in `every` is left out (0: none)."""
    info = zipfile.ZipInfo(f"{item.name}.csv", (2020, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(info, "w", force_zip64=True) as file,
    ):
        if rules.market != SPOT:
            file.write(f"{HEADERS[item.kind]}\n".encode())
        for text in _texts(item, tape, rules, hidden, every):
            file.write(text)


def _texts(
    item: Wanted, tape: Tape, rules: Listing, hidden: Stretches, every: int
) -> Iterator[bytes]:
    if item.kind == KLINES:
        scale = 1 if rules.market == SPOT else 1000
        candles = klines(tape, item.interval, item.start_us, item.end_us - 1, hidden=hidden)
        for kline in candles:
            if is_left_out(kline, every):
                continue
            yield (",".join(map(str, row(kline, rules, scale))) + "\n").encode()
        return
    lived_us = item.start_us
    if isinstance(tape.before, PastTrades):
        # with polars, which only who asks for such a file needs
        files = import_module("simulator.past_files")
        by_aggregate = item.kind == AGG_TRADES
        lived_us = max(lived_us, tape.before.end_us + 1)
        for opens in range(item.start_us, min(item.end_us, lived_us), HOUR_US):
            if not is_hidden(opens, hidden) and opens >= tape.before.start_us:
                yield files.rows(tape.before, rules, opens, by_aggregate=by_aggregate)
    yield from _lived(tape, item.kind, rules, lived_us, item.end_us, hidden)


def _lived(
    tape: Tape, kind: str, rules: Listing, start_us: int, end_us: int, hidden: Stretches
) -> Iterator[bytes]:
    """Rows of the live tape."""
    first, last = tape.first_at_or_after(start_us), tape.first_at_or_after(end_us) - 1
    first = max(first, tape.first_id)
    is_spot = rules.market == SPOT
    price, quantity = rules.price_text, rules.quantity_text
    rows: Iterator[AggTrade | Trade] = tape.between(first, last)
    if kind == AGG_TRADES:
        rows = tape.aggregates(first, last)
    for item in rows:
        if is_hidden(item.time, hidden):
            continue
        head = f"{item.id},{price(item.price)},{quantity(item.quantity)}"
        time = item.time if is_spot else item.time // 1000
        tail = f"{time},{_flag(item.is_buyer_maker, is_spot)}" + (",True" if is_spot else "")
        if isinstance(item, AggTrade):
            yield f"{head},{item.first_id},{item.last_id},{tail}\n".encode()
        elif item.kind == MARKET:
            yield f"{head},{product_text(item.price, item.quantity)},{tail}\n".encode()


def _flag(value: bool, is_spot: bool) -> str:
    return str(value) if is_spot else str(value).lower()
