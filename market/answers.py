"""Bars in the words of the API and of the live topics: exact decimal text, never floats."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

import msgspec

from lib.decimals import QUOTE_PLACES, decimal, text
from market.flow.bands import BANDS, SETS, BandSet
from market.flow.bars import Bar
from market.flow.cumulative import Unit


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
        "first_id": bar.first_id if bar.trades else None,
        "last_id": bar.last_id if bar.trades else None,
        "buy": quote(bar.quote_buy),
        "sell": quote(bar.quote_sell),
        "base_buy": text(bar.base_buy),
        "base_sell": text(bar.base_sell),
        "delta": quote(bar.delta),
    }


def bands_answer(bar: Bar, unit: Unit, bands: BandSet) -> dict[str, BandAnswer]:
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


def band_deltas(bar: Bar, band_set: str) -> dict[str, Decimal]:
    """Bought minus sold of each band by single trade; by order where single trades are unknown."""
    flat = bar.order if bar.lacks_trade_unit else bar.trade
    return {
        name: decimal(flat[i] - flat[BANDS + i], QUOTE_PLACES)
        for i, name in enumerate(SETS[band_set].names)
    }


def with_cvd(
    answer: BarAnswer, bands: dict[str, BandAnswer], line: tuple[int, Sequence[int]]
) -> BarAnswer:
    """The API's bar: one unit's bands, with the cumulative values at the bar's end."""
    total, by_band = line
    said = {
        name: {**band, "cvd": quote(value)}
        for (name, band), value in zip(bands.items(), by_band, strict=True)
    }
    return {**answer, "cvd": quote(total), "bands": said}


def live_payload(bar: Bar, bands: BandSet, *, time_ms: int, closed: bool, complete: bool) -> str:
    """The tail of a live frame, encoded once for all sockets: `"time":…,"data":{…}}`.

    The socket's own consumer puts topic and sequence number in front.
    """
    data = bar_answer(bar, closed=closed, complete=complete)
    data["trade"] = bands_answer(bar, "trade", bands)
    data["order"] = bands_answer(bar, "order", bands)
    return f'"time":{time_ms},"data":{msgspec.json.encode(data).decode()}}}'
