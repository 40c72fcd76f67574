"""Indicators against hand-worked values, marks that never repaint, volume by price that adds up."""

import math

import pytest
from django.test import Client

from market import indicators
from market.flow.bars import Bar
from market.indicators import Wish
from market.models import Listing
from tests.conftest import MakeInstrument

UNIT, QUOTE = 10**8, 10**16


def bar(
    number: int, close: int, *, buy: int = 0, sell: int = 0, high: int = 0, low: int = 0
) -> Bar:
    made = Bar(number * 60)
    made.open = made.close = close * UNIT
    made.high, made.low = (high or close) * UNIT, (low or close) * UNIT
    made.trades, made.first_id, made.last_id = 1, number, number
    made.quote_buy, made.quote_sell = buy * QUOTE, sell * QUOTE
    made.base_buy = buy * UNIT // close
    made.base_sell = sell * UNIT // close
    return made


def test_averages_begin_when_there_are_enough_bars() -> None:
    bars = [bar(n, close) for n, close in enumerate([10, 20, 30, 40])]
    points = indicators.compute(bars, 60, Wish("sma", (3,)))
    assert points == [{"t": 120_000, "sma": 20.0}, {"t": 180_000, "sma": 30.0}]


def test_nothing_is_computed_across_a_gap() -> None:
    bars = [bar(n, 10) for n in (0, 1, 3, 4)]
    assert indicators.compute(bars, 60, Wish("sma", (3,))) == []


def test_vwap_is_the_quote_over_the_base() -> None:
    bars = [bar(0, 100, buy=100), bar(1, 200, sell=600)]
    points = indicators.compute(bars, 60, Wish("vwap", (0,)))
    assert [point["vwap"] for point in points] == [100.0, 175.0]  # 700 of 4


def test_rsi_of_rising_prices_is_100() -> None:
    bars = [bar(n, 100 + n) for n in range(20)]
    assert math.isclose(indicators.compute(bars, 60, Wish("rsi", (14,)))[-1]["rsi"], 100)


@pytest.mark.parametrize(
    "text", ["", "foo", "sma:x", "sma:1:2", "sma:1", "macd:26:12:9", "sma:5000"]
)
def test_a_bad_wish_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        indicators.parse(text)


def test_volume_by_price_adds_up() -> None:
    bars = [bar(0, 100, buy=500), bar(1, 150, sell=300), bar(2, 199, buy=199)]
    rows = indicators.profile(bars, 10)
    assert sum(buy for _, buy, _ in rows) == sum(b.base_buy for b in bars)
    assert sum(sell for _, _, sell in rows) == sum(b.base_sell for b in bars)
    assert [price for price, _, _ in rows] == sorted(price for price, _, _ in rows)


def test_a_higher_high_with_a_lower_cvd_is_a_divergence() -> None:
    closes = [10, 11, 12, 20, 12, 11, 10, 11, 12, 25, 12, 11, 10]
    bars = [bar(n, close, sell=100) for n, close in enumerate(closes)]
    found = indicators.marks(bars, 60, wing=3, window=50)
    assert [(m.kind, m.side, m.time, m.first_id, m.last_id) for m in found] == [
        ("divergence", "sell", 540, 3, 9)
    ]
    # known three bars later, and never changed by what comes after
    assert indicators.marks(bars[:12], 60, wing=3, window=50) == []
    assert indicators.marks([*bars, bar(13, 9), bar(14, 8)], 60, wing=3, window=50) == found


def test_a_new_high_that_sellers_absorb_is_marked() -> None:
    bars = [bar(n, 100, buy=100, sell=100) for n in range(10)]
    bars.append(bar(10, 101, buy=1000, sell=1010))
    [mark] = indicators.marks(bars, 60, wing=3, window=10)
    assert (mark.kind, mark.side, mark.time) == ("absorption", "sell", 600)


@pytest.mark.django_db
def test_the_doors_answer(alices_browser: Client, make_instrument: MakeInstrument) -> None:
    make_instrument()
    Listing.objects.create(
        venue="simulator",
        market="spot",
        symbol="币安USDT",
        base_asset="币安",
        quote_asset="USDT",
        status="TRADING",
        tick_size="0.01",
        step_size="0.1",
        min_notional=5,
        refreshed_at="2026-01-01T00:00Z",
    )
    found = alices_browser.get("/api/instruments", {"search": "币"}).json()["rows"]
    assert [row["symbol"] for row in found] == ["币安USDT"]
    assert found[0]["tick_size"] == "0.01"
    asked = {"symbol": "BTCUSDT", "start": "2026-01-01", "end": "2026-01-01T01:00:00Z"}
    for path in ("indicators", "profile", "marks"):
        answer = alices_browser.get(f"/api/{path}", asked)
        assert answer.status_code == 200, answer.content
        assert answer.json()["symbol"] == "BTCUSDT"
    bad = alices_browser.get("/api/indicators", {**asked, "indicators": "magic"})
    assert bad.status_code == 400
    assert "expected one of" in bad.json()["indicators"][0]
