"""Dollars that an asset was worth in a minute, asked for once and kept (Binance's own candles).

A minute without a candle is worth the last close before it, at most an hour old; what even that
does not tell is kept as unknown, so that nobody asks again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from journal.books.routes import Leg, Route, routes_of
from journal.models import AssetPrice
from lib.batches import batched
from lib.cash import DOLLARS
from lib.dates import from_ms, to_ms
from market.binance.errors import Refused

MINUTE_MS = 60_000
# How far back a minute without a candle is looked for, and what one page of candles reaches.
BACK_MS = 60 * MINUTE_MS
PAGE = 1000
REACH_MS = PAGE * MINUTE_MS - BACK_MS - MINUTE_MS
BAD_SYMBOL = -1121
# A minute, and a moment for its last trade to be told.
CLOSED_AFTER = timedelta(seconds=62)
CHUNK = 2000
PLACES = Decimal(1).scaleb(-26)
Need = tuple[str, datetime]
# path, parameters -> JSON
Ask = Callable[..., Any]


class Priced(NamedTuple):
    """Dollars of one, and the minute of the candle that says so."""

    price: Decimal
    minute: datetime


def minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def fetch(needs: Iterable[Need], ask: Ask) -> int:
    """Ask for the minutes that are not known for good. A minute that is still open gets the price
    so far, and another one when it is over (`ask_again`). Returns how many were asked for. Raises
    ExchangeError."""
    count = 0
    for asset, minutes in sorted(_by_asset(needs).items()):
        unknown = sorted(minutes - _known_for_good(asset, minutes))
        routes = routes_of(asset) if unknown else []
        if not routes:
            continue
        refused: set[str] = set()
        for page in _pages(unknown):
            keep(_price_page(asset, page, routes, refused, ask))
        count += len(unknown)
    return count


def open_ones() -> set[Need]:
    """Minutes that were open when they were asked for and are over."""
    due = AssetPrice.objects.filter(
        venue=settings.VENUE, is_final=False, minute__lt=timezone.now() - CLOSED_AFTER
    )
    return set(due.values_list("asset", "minute"))


def ask_again(need: Need, ask: Ask) -> list[AssetPrice]:
    """The final price of one of them, to be kept with what it changes. Raises ExchangeError."""
    asset, minute = need
    return _price_page(asset, [minute], routes_of(asset), set(), ask)


def keep(rows: Sequence[AssetPrice]) -> None:
    AssetPrice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["venue", "asset", "minute"],
        update_fields=["price", "symbol", "of_minute", "is_final"],
    )


def load(needs: Iterable[Need]) -> dict[Need, Priced]:
    """The last price known at or before each (asset, minute), however old it is: its minute says
    so. What was never worth anything known is left out; dollars are 1."""
    asked = {(asset, minute_of(moment)) for asset, moment in needs}
    prices = {need: Priced(Decimal(1), need[1]) for need in asked if need[0] in DOLLARS}
    for chunk in batched(sorted(asked - prices.keys()), CHUNK):
        prices |= _last_known(chunk)
    return prices


# --- what is kept -------------------------------------------------------------------------------


def _by_asset(needs: Iterable[Need]) -> dict[str, set[datetime]]:
    minutes: dict[str, set[datetime]] = {}
    for asset, moment in needs:
        if asset not in DOLLARS:
            minutes.setdefault(asset, set()).add(minute_of(moment))
    return minutes


def _known_for_good(asset: str, minutes: set[datetime]) -> set[datetime]:
    # one that was open is asked for again by `ask_again` alone, which builds what used it
    is_over = Q(is_final=True) | Q(minute__lt=timezone.now() - CLOSED_AFTER)
    mine = AssetPrice.objects.filter(is_over, venue=settings.VENUE, asset=asset)
    return {
        minute
        for chunk in batched(sorted(minutes), CHUNK)
        for minute in mine.filter(minute__in=chunk).values_list("minute", flat=True)
    }


def _last_known(needs: Sequence[Need]) -> dict[Need, Priced]:
    """One step down the index a need, whatever other users' minutes lie between."""
    assets, minutes = zip(*needs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT need.asset, need.minute, known.price, coalesce(known.of_minute, known.minute)
            FROM unnest(%s::text[], %s::timestamptz[]) AS need (asset, minute)
            CROSS JOIN LATERAL (
                SELECT price, minute, of_minute FROM journal_assetprice
                WHERE venue = %s AND asset = need.asset AND minute <= need.minute
                    AND price IS NOT NULL
                ORDER BY minute DESC LIMIT 1
            ) AS known
            """,
            [list(assets), list(minutes), settings.VENUE],
        )
        rows = cursor.fetchall()
    return {(asset, minute): Priced(price, of) for asset, minute, price, of in rows}


# --- what is asked ------------------------------------------------------------------------------


def _pages(minutes: Sequence[datetime]) -> Iterator[list[datetime]]:
    """Minutes that one page of candles tells together, each with its hour before."""
    page: list[datetime] = []
    for minute in minutes:
        if page and to_ms(minute) - to_ms(page[0]) > REACH_MS:
            yield page
            page = []
        page.append(minute)
    if page:
        yield page


def _price_page(
    asset: str, minutes: list[datetime], routes: Sequence[Route], refused: set[str], ask: Ask
) -> list[AssetPrice]:
    """A row a minute: by the first route that tells it, else unknown."""
    closed = timezone.now() - CLOSED_AFTER
    rows = []
    left = minutes
    for route in routes:
        if not left:
            break
        prices = _along(route, left, refused, ask)
        name = " ".join(leg.symbol for leg in route)
        rows += [_row(asset, minute, name, closed, prices[minute]) for minute in prices]
        left = [minute for minute in left if minute not in prices]
    rows += [_row(asset, minute, "", closed, None) for minute in left]
    return rows


def _row(
    asset: str, minute: datetime, symbol: str, closed: datetime, priced: Priced | None
) -> AssetPrice:
    return AssetPrice(
        venue=settings.VENUE,
        asset=asset,
        minute=minute,
        symbol=symbol,
        price=None if priced is None else priced.price,
        of_minute=None if priced is None or priced.minute == minute else priced.minute,
        is_final=minute < closed,
    )


def _along(
    route: Route, minutes: Sequence[datetime], refused: set[str], ask: Ask
) -> dict[datetime, Priced]:
    """What every leg of the route tells; of two legs the older minute."""
    prices = {minute: Priced(Decimal(1), minute) for minute in minutes}
    with localcontext(prec=60):
        for leg in route:
            if not prices:
                break
            closes = _closes(leg, sorted(prices), refused, ask)
            prices = {
                minute: Priced(priced.price * close.price, min(priced.minute, close.minute))
                for minute, priced in prices.items()
                if (close := closes.get(minute)) is not None
            }
        return {
            minute: Priced(price, priced.minute)
            for minute, priced in prices.items()
            if (price := priced.price.quantize(PLACES)) > 0
        }


def _closes(
    leg: Leg, minutes: Sequence[datetime], refused: set[str], ask: Ask
) -> dict[datetime, Priced]:
    """The last close at or before each minute, at most an hour old. A symbol that the exchange
    does not know any more is asked for once."""
    if leg.symbol in refused:
        return {}
    first, last = to_ms(minutes[0]) - BACK_MS, to_ms(minutes[-1])
    try:
        candles = ask(
            "/api/v3/klines",
            symbol=leg.symbol,
            interval="1m",
            startTime=first,
            endTime=last,
            limit=PAGE,
        )
    except Refused as error:
        if error.code != BAD_SYMBOL:
            raise
        refused.add(leg.symbol)
        return {}
    closes = {int(candle[0]): Decimal(candle[4]) for candle in candles}
    priced = {}
    for minute in minutes:
        at = to_ms(minute)
        known = next(
            (back for back in range(at, at - BACK_MS - 1, -MINUTE_MS) if closes.get(back)), None
        )
        if known is not None:
            price = 1 / closes[known] if leg.is_inverse else closes[known]
            priced[minute] = Priced(price, from_ms(known))
    return priced
