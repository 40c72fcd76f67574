"""GET /api/cvd/…: bars of times that nobody collected, and which of two bars stands."""

import time
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.test import Client

from lib.decimals import QUOTE_UNIT, UNIT
from market.api import wishes
from market.asking import candles
from market.flow.bars import Bar
from market.flow.detail import Detail
from market.flow.klines import Kline
from market.hot import keys
from market.hot.codec import State, bar_fields
from market.models import Instrument
from market.past import store
from tests.conftest import KEY, MakeInstrument

pytestmark = pytest.mark.django_db
MINUTE = 60
# long over, on a whole hour
START = (int(time.time()) - 40 * 86_400) // 86_400 * 86_400 + 8 * 3600


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would be fetched."""
    found: list[tuple[Any, ...]] = []
    cache.clear()
    monkeypatch.setattr("market.tasks.fetch_past.delay", lambda *words: found.append(words))
    return found


@pytest.fixture
def instrument(make_instrument: MakeInstrument, asked: list[Any]) -> Instrument:
    return make_instrument()


@pytest.fixture
def token(alices_token: dict[str, str]) -> dict[str, str]:
    return alices_token


def ask(token: dict[str, str], **query: Any) -> Any:
    words = {"symbol": "BTCUSDT", "interval": "1m", "unit": "trade", **query}
    answer = Client().get("/api/cvd/range", words, **token)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content
    return answer.json()


def kline(minute: int, *, buy: int, sell: int, trades: int = 5) -> Kline:
    """A minute at 100 that went to 101 and 99; amounts in dollars."""
    whole = (buy + sell) * UNIT
    return Kline(
        minute,
        -1,
        -1,
        trades,
        100 * UNIT,
        101 * UNIT,
        99 * UNIT,
        100 * UNIT,
        whole // 100,
        buy * UNIT // 100,
        whole,
        buy * UNIT,
    )


def candle_bars(first: int, count: int) -> list[Bar]:
    return [
        candles.bar_of(kline(first + MINUTE * number, buy=300, sell=100)) for number in range(count)
    ]


def order_bar(at: int) -> Bar:
    """From aggregates: an order of 500 bought, of 60 sold."""
    bar = Bar(at)
    bar.detail = Detail.ORDER
    bar.open = bar.high = bar.low = bar.close = 100 * UNIT
    bar.trades, bar.first_id, bar.last_id = 3, 7, 9
    bar.base_buy, bar.base_sell = 5 * UNIT, UNIT * 6 // 10
    bar.quote_buy, bar.quote_sell = 500 * QUOTE_UNIT, 60 * QUOTE_UNIT
    bar.order[1], bar.order[6] = bar.quote_buy, bar.quote_sell
    bar.order[13] = bar.order[12] = 1
    return bar


def keep(instrument: Instrument, detail: Detail, bars: list[Bar], grain: int = MINUTE) -> None:
    span = (bars[0].time, bars[-1].time + grain)
    store.keep(instrument.pk, instrument.band_set, grain, detail, bars, [span])


def test_a_candle_is_a_complete_bar_without_bands(
    instrument: Instrument, token: dict[str, str], asked: list[Any]
) -> None:
    keep(instrument, Detail.TOTAL, candle_bars(START, 3))
    answer = ask(token, start=START * 1000, end=(START + 180) * 1000)
    assert (answer["complete"], answer["missing"], answer["retry_ms"]) == (True, [], None)
    assert answer["source"] == "archive"
    assert asked == []
    bar = answer["bars"][1]
    assert (bar["detail"], bar["bands"], bar["trades_of"]) == ("total", None, "trades")
    assert (bar["complete"], bar["closed"], bar["first_id"]) == (True, True, None)
    assert (bar["buy"], bar["sell"], bar["delta"], bar["cvd"]) == ("300", "100", "200", "400")
    assert (bar["base_buy"], bar["base_sell"], bar["trades"]) == ("3", "1", 5)
    assert (bar["open"], bar["high"], bar["low"]) == ("100", "101", "99")


def test_more_detail_replaces_less_and_never_the_other_way_round(
    instrument: Instrument, token: dict[str, str]
) -> None:
    keep(instrument, Detail.TOTAL, candle_bars(START, 3))
    keep(instrument, Detail.ORDER, [order_bar(START + MINUTE)])
    keep(instrument, Detail.TOTAL, candle_bars(START, 3))
    answer = ask(token, start=START * 1000, end=(START + 180) * 1000, unit="order")
    assert [bar["detail"] for bar in answer["bars"]] == ["total", "order", "total"]
    # bands run from the first bar that has them
    first, second, third = (bar["bands"] for bar in answer["bars"])
    assert (first, third) == (None, None)
    assert second["100-1k"]["cvd"] == "500"
    assert [bar["cvd"] for bar in answer["bars"]] == ["200", "640", "840"]
    # by single trade nothing is known, which is no reason to refuse
    answer = ask(token, start=START * 1000, end=(START + 180) * 1000)
    assert [bar["bands"] for bar in answer["bars"]] == [None, None, None]


def test_nothing_but_aggregates_has_no_single_trades(
    instrument: Instrument, token: dict[str, str]
) -> None:
    keep(instrument, Detail.ORDER, [order_bar(START)])
    words = {"symbol": "BTCUSDT", "start": START * 1000, "end": (START + 60) * 1000}
    answer = Client().get("/api/cvd/range", words, **token)  # type: ignore[arg-type]
    assert answer.status_code == 409


def test_a_longer_bar_is_the_least_of_its_parts(
    instrument: Instrument, token: dict[str, str]
) -> None:
    keep(instrument, Detail.TOTAL, candle_bars(START, 5))
    keep(instrument, Detail.ORDER, [order_bar(START + MINUTE)])
    [bar] = ask(token, interval="5m", start=START * 1000, end=(START + 300) * 1000)["bars"]
    assert (bar["detail"], bar["bands"]) == ("total", None)
    assert (bar["buy"], bar["sell"]) == ("1700", "460")
    [bar] = ask(token, interval="3m", start=START * 1000, end=(START + 180) * 1000)["bars"]
    assert bar["trades"] == 13


def test_seconds_of_a_part_never_touch_a_complete_minute(
    instrument: Instrument, token: dict[str, str]
) -> None:
    keep(instrument, Detail.TOTAL, candle_bars(START, 2))
    # the minute's last twenty seconds and all of the next
    seconds = [order_bar(START + 40 + number) for number in range(80)]
    store.keep(instrument.pk, "usd-1", 1, Detail.ORDER, seconds, [(START + 40, START + 120)])
    bars = ask(token, start=START * 1000, end=(START + 120) * 1000, unit="order")["bars"]
    assert [(bar["detail"], bar["trades"]) for bar in bars] == [("total", 5), ("order", 180)]


def test_a_partly_seen_minute_of_the_tape_gives_way_to_the_exchanges_candle(
    instrument: Instrument, token: dict[str, str], empty_redis: redis.Redis
) -> None:
    full = Bar(START + MINUTE)
    full.open = full.high = full.low = full.close = 100 * UNIT
    full.trades, full.first_id, full.last_id = 1, 2, 2
    full.quote_buy = 100 * QUOTE_UNIT
    partly = full.copy()
    partly.time = START
    for bar in (partly, full):
        empty_redis.hset(keys.bar(KEY, "1m", bar.time), mapping=bar_fields(bar))
        empty_redis.zadd(keys.bars(KEY, "1m"), {str(bar.time): bar.time})
    covered = State(
        2, 1, full.time, (START + 30) * 1000, (START + 120) * 1000, 1_000_000, None, START
    )
    empty_redis.hset(keys.state(KEY), mapping=covered.fields())
    where = {"start": START * 1000, "end": (START + 120) * 1000}
    answer = ask(token, **where)
    assert [bar["complete"] for bar in answer["bars"]] == [False, True]
    assert answer["missing"][0]["state"] == "fetching"
    keep(instrument, Detail.TOTAL, candle_bars(START, 2))
    bars = ask(token, **where)["bars"]
    assert [(bar["detail"], bar["complete"]) for bar in bars] == [("total", True), ("full", True)]
    assert [bar["buy"] for bar in bars] == ["300", "100"]


def test_what_is_missing_is_asked_for_once_and_told(
    instrument: Instrument, token: dict[str, str], asked: list[Any]
) -> None:
    where = {"start": START * 1000, "end": (START + 3600) * 1000}
    answer = ask(token, **where)
    assert answer["bars"] == []
    assert answer["missing"] == [
        {"from": START * 1000, "to": (START + 3600) * 1000, "state": "fetching", "reason": None}
    ]
    assert answer["retry_ms"] == wishes.RETRY_MS
    ask(token, **where)
    assert asked == [(instrument.pk, 60, [(START, START + 3600)])]
    store.note_absent(instrument.pk, 60, [(START, START + 3600)])
    answer = ask(token, **where)
    assert [item["state"] for item in answer["missing"]] == ["none"]
    assert answer["retry_ms"] is None


def test_seconds_are_asked_for_where_a_few_are_looked_at(
    instrument: Instrument, token: dict[str, str], make_instrument: MakeInstrument
) -> None:
    short = {"start": START * 1000, "end": (START + 600) * 1000, "interval": "5s"}
    assert ask(token, **short)["missing"][0]["state"] == "fetching"
    long = {"start": START * 1000, "end": (START + 9000) * 1000, "interval": "1s"}
    assert ask(token, **long)["missing"][0]["reason"] == "too_many_seconds"
    make_instrument(market="usdm")
    answer = ask(token, **short, market="usdm", unit="order")
    assert answer["missing"][0]["reason"] == "no_seconds_on_futures"


def test_weeks_begin_on_monday_and_are_made_of_days(
    instrument: Instrument, token: dict[str, str]
) -> None:
    monday = 1_753_660_800  # 2025-07-28, a Monday
    bars = [candles.bar_of(kline(monday + 86_400 * day, buy=300, sell=100)) for day in range(14)]
    keep(instrument, Detail.TOTAL, bars, 86_400)
    where = {"start": (monday - 86_400) * 1000, "end": (monday + 14 * 86_400) * 1000}
    answer = ask(token, interval="1w", **where)
    assert [bar["t"] // 1000 for bar in answer["bars"]] == [monday, monday + 7 * 86_400]
    assert answer["bars"][0]["buy"] == "2100"


def test_a_bare_minute_between_candles_is_a_bar_at_the_close_before(
    instrument: Instrument, token: dict[str, str]
) -> None:
    bars = candle_bars(START, 3)
    bars[1] = candles.bar_of(Kline(START + 60, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    keep(instrument, Detail.TOTAL, bars)
    bar = ask(token, start=START * 1000, end=(START + 180) * 1000)["bars"][1]
    assert (bar["trades"], bar["close"], bar["complete"]) == (0, "100", True)
    assert (bar["detail"], bar["bands"]) == ("total", None)
