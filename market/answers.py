"""Bars in the words of the API and of the live topics: exact decimal text, never floats."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypedDict

import msgspec

from lib.decimals import QUOTE_PLACES, text
from market.book.levels import Level, Mark, Ticker
from market.flow.bands import BANDS, BandSet
from market.flow.bars import Bar
from market.flow.cumulative import Unit
from market.flow.detail import Detail


class BandAnswer(TypedDict, total=False):
    buy: str
    sell: str
    count: int
    delta: str
    cvd: str


# A bar's answer has keys per unit, so it stays a plain mapping.
BarAnswer = dict[str, object]


def quote(value: int) -> str:
    return text(value, QUOTE_PLACES)


def bar_answer(bar: Bar, *, closed: bool, complete: bool) -> BarAnswer:
    """What both the API and the live topics say of a bar; `t` is the open time in epoch ms."""
    return {
        "t": bar.time * 1000,
        "closed": closed,
        "complete": complete,
        "open": text(bar.open),
        "high": text(bar.high),
        "low": text(bar.low),
        "close": text(bar.close),
        "trades": bar.trades,
        "first_id": bar.first_id if bar.first_id >= 0 else None,
        "last_id": bar.last_id if bar.first_id >= 0 else None,
        "buy": quote(bar.quote_buy),
        "sell": quote(bar.quote_sell),
        "base_buy": text(bar.base_buy),
        "base_sell": text(bar.base_sell),
        "delta": quote(bar.delta),
        "detail": bar.detail.word,
    }


def bands_answer(bar: Bar, unit: Unit, bands: BandSet) -> dict[str, BandAnswer] | None:
    """None where the bar does not know them."""
    if bar.detail < (Detail.FULL if unit == "trade" else Detail.ORDER):
        return None
    flat = bar.trade if unit == "trade" else bar.order
    return {
        name: {
            "buy": quote(flat[i]),
            "sell": quote(flat[BANDS + i]),
            "count": flat[2 * BANDS + i],
            "delta": quote(flat[i] - flat[BANDS + i]),
        }
        for i, name in enumerate(bands.names)
    }


def band_sums(bar: Bar, detail: Detail) -> list[int]:
    """Bought minus sold of each band by single trade, scaled by 1e-16; by order where `detail`
    knows no more."""
    flat = bar.order if detail < Detail.FULL else bar.trade
    return [flat[at] - flat[BANDS + at] for at in range(BANDS)]


def with_cvd(
    answer: BarAnswer, bands: dict[str, BandAnswer] | None, line: tuple[int, Sequence[int]]
) -> BarAnswer:
    """The API's bar: one unit's bands, with the cumulative values at the bar's end."""
    total, by_band = line
    if bands is None:
        return {**answer, "cvd": quote(total), "bands": None}
    cumulated = {
        name: {**band, "cvd": quote(value)}
        for (name, band), value in zip(bands.items(), by_band, strict=True)
    }
    return {**answer, "cvd": quote(total), "bands": cumulated}


class BookAnswer(TypedDict):
    t: int
    last_update_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    spread: str | None
    mid: str | None
    imbalance: str | None


def book_answer(last_id: int, time: int, bids: list[Level], asks: list[Level]) -> BookAnswer:
    """Levels as (price, quantity), best first. `imbalance` is (bids - asks) / (bids + asks) of
    these levels' quantities, -1 to 1; both sides are needed for it, the spread and the mid."""
    spread = mid = imbalance = None
    if bids and asks:
        best_bid, best_ask = bids[0][0], asks[0][0]
        spread, mid = text(best_ask - best_bid), text((best_bid + best_ask) * 5, 9)
        bought, sold = sum(q for _, q in bids), sum(q for _, q in asks)
        imbalance = _ratio(bought - sold, bought + sold, 4)
    return {
        "t": time,
        "last_update_id": last_id,
        "bids": [_level(level) for level in bids],
        "asks": [_level(level) for level in asks],
        "spread": spread,
        "mid": mid,
        "imbalance": imbalance,
    }


def ticker_answer(ticker: Ticker) -> dict[str, object]:
    """The last 24 hours; `change` against the price 24 h ago, `change_pct` in percent."""
    change = ticker.last - ticker.open
    percent = _ratio(100 * change, ticker.open, 2) if ticker.open else None
    return {
        "t": ticker.time,
        "open": text(ticker.open),
        "high": text(ticker.high),
        "low": text(ticker.low),
        "last": text(ticker.last),
        "base": text(ticker.base),
        "quote": text(ticker.quote),
        "change": text(change),
        "change_pct": percent,
    }


def mark_answer(mark: Mark) -> dict[str, object]:
    """`rate` is the funding rate that is coming at `next_funding` (epoch ms)."""
    return {
        "t": mark.time,
        "mark": text(mark.price),
        "index": text(mark.index),
        "rate": text(mark.rate),
        "next_funding": mark.next_funding,
    }


def _ratio(part: int, whole: int, places: int) -> str:
    return text(round(Fraction(part * 10**places, whole)), places)


def _level(level: Level) -> tuple[str, str]:
    return text(level[0]), text(level[1])


def live_payload(bar: Bar, bands: BandSet, *, time_ms: int, closed: bool, complete: bool) -> str:
    """The tail of a live frame, encoded once for all sockets: `"time":…,"data":{…}}`.

    The socket's own consumer puts topic and sequence number in front.
    """
    data = bar_answer(bar, closed=closed, complete=complete)
    data["trade"] = bands_answer(bar, "trade", bands)
    data["order"] = bands_answer(bar, "order", bands)
    return f'"time":{time_ms},"data":{msgspec.json.encode(data).decode()}}}'
