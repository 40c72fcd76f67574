"""GET /api/cvd/…: the contract, from Redis, from PostgreSQL and from both."""

import time
from typing import Any

import pytest
import redis
from django.test import Client

from accounts.models import User
from lib.decimals import QUOTE_UNIT, UNIT
from market.archive import seconds as archive
from market.flow.bars import Bar
from market.hot import client, keys
from market.hot.codec import GapRecord, State, bar_fields, encode_gap
from market.models import Instrument
from tests.conftest import KEY, MakeInstrument

pytestmark = pytest.mark.django_db
NOW = int(time.time()) // 60 * 60
START = NOW - 300


def minute(time: int, first_id: int, bought: int = 100) -> Bar:
    """One buy of `bought` dollars at 100."""
    bar = Bar(time)
    bar.open = bar.high = bar.low = bar.close = 100 * UNIT
    bar.trades, bar.first_id, bar.last_id = 1, first_id, first_id
    bar.base_buy = bought * UNIT // 100
    bar.quote_buy = bar.delta_high = bought * QUOTE_UNIT
    bar.trade[1] = bar.order[1] = bought * QUOTE_UNIT
    bar.trade[13] = bar.order[13] = 1
    return bar


def state(covered_from: int = START, hot_from: int = 0) -> State:
    return State(9, 1, NOW, covered_from * 1000, NOW * 1000 + 20_000, 1_000_000, None, hot_from)


def put_hot(client: redis.Redis, bars: list[Bar], interval: str = "1m", **where: Any) -> None:
    client.hset(keys.state(KEY), mapping=state(**where).fields())
    for bar in bars:
        client.hset(keys.bar(KEY, interval, bar.time), mapping=bar_fields(bar))
        client.zadd(keys.bars(KEY, interval), {str(bar.time): bar.time})


@pytest.fixture
def instrument(make_instrument: MakeInstrument) -> Instrument:
    return make_instrument("BTCUSDT")


def ask(token: dict[str, str], path: str = "range", **query: Any) -> Any:
    asked: dict[str, Any] = {"symbol": "BTCUSDT"}
    if path != "realtime":
        asked.update(start=START * 1000, end=(NOW + 60) * 1000)
    answer = Client(**token).get(f"/api/cvd/{path}", {**asked, **query})  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_bar_has_the_shape_of_the_contract(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START, 1)])
    answer = ask(alices_token, end=(START + 60) * 1000)
    assert {key: answer[key] for key in answer if key != "bars"} == {
        "symbol": "BTCUSDT",
        "market": "spot",
        "venue": "simulator",
        "interval": "1m",
        "unit": "trade",
        "source": "hot",
        "complete": True,
        "gaps": [],
        "trades_of": "trades",
        "missing": [],
        "retry_ms": None,
    }
    [bar] = answer["bars"]
    assert bar.pop("bands")["100-1k"] == {
        "buy": "100",
        "sell": "0",
        "count": 1,
        "delta": "100",
        "cvd": "100",
    }
    assert bar == {
        "t": START * 1000,
        "closed": True,
        "complete": True,
        "open": "100",
        "high": "100",
        "low": "100",
        "close": "100",
        "trades": 1,
        "first_id": 1,
        "last_id": 1,
        "buy": "100",
        "sell": "0",
        "base_buy": "1",
        "base_sell": "0",
        "delta": "100",
        "cvd": "100",
        "detail": "full",
        "trades_of": "trades",
    }


def test_a_covered_minute_without_trades_is_a_bar_at_the_previous_close(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START, 1), minute(START + 120, 2)])
    bars = ask(alices_token)["bars"]
    assert [bar["t"] // 1000 for bar in bars] == [START + 60 * i for i in range(6)]
    assert [bar["trades"] for bar in bars] == [1, 0, 1, 0, 0, 0]
    assert bars[1]["first_id"] is None
    assert bars[1]["close"] == "100"
    assert [bar["cvd"] for bar in bars] == ["100", "100", "200", "200", "200", "200"]
    assert [bar["closed"] for bar in bars] == [True] * 5 + [False]


def test_a_partly_seen_first_minute_is_not_complete(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START, 1), minute(START + 60, 2)], covered_from=START + 20)
    answer = ask(alices_token, end=(START + 120) * 1000)
    assert [bar["complete"] for bar in answer["bars"]] == [False, True]
    assert answer["complete"] is False


def test_an_open_gap_makes_its_minutes_incomplete_and_is_listed(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START, 1), minute(START + 60, 9)])
    gap = GapRecord(2, 8, START * 1000 + 59_000, START * 1000 + 59_500, "late", "open")
    empty_redis.hset(keys.gaps(KEY), "2", encode_gap(gap).decode())
    answer = ask(alices_token, end=(START + 120) * 1000)
    assert [bar["complete"] for bar in answer["bars"]] == [False, True]
    assert answer["gaps"] == [
        {"from_id": 2, "to_id": 8, "from": gap.from_ms, "to": gap.to_ms, "state": "open"}
    ]
    assert answer["complete"] is False


def test_what_is_not_covered_is_not_complete(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START, 1)])
    empty_redis.hset(keys.state(KEY), "covered_to", str(START * 1000 + 60_000))
    answer = ask(alices_token, start=(START + 60) * 1000, end=(START + 180) * 1000)
    assert (answer["bars"], answer["complete"]) == ([], False)


def test_older_minutes_come_from_postgresql_without_a_seam(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    saved = [minute(START + second, second + 1) for second in range(3)]
    archive.save(instrument.pk, "usd-1", saved, state())
    put_hot(empty_redis, [minute(START + 60, 9)], hot_from=START + 60)
    answer = ask(alices_token, end=(START + 120) * 1000)
    assert answer["source"] == "both"
    assert [bar["trades"] for bar in answer["bars"]] == [3, 1]
    assert [bar["cvd"] for bar in answer["bars"]] == ["300", "400"]


def test_an_empty_redis_falls_back_to_postgresql(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    archive.save(instrument.pk, "usd-1", [minute(START, 1)], state())
    answer = ask(alices_token, "realtime", minutes=1440)
    assert answer["source"] == "archive"
    assert [bar["trades"] for bar in answer["bars"] if bar["trades"]] == [1]


def test_a_redis_that_is_down_falls_back_to_postgresql(
    instrument: Instrument, alices_token: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.save(instrument.pk, "usd-1", [minute(START, 1)], state())
    nowhere = redis.ConnectionPool.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    monkeypatch.setattr(client, "_pool", nowhere)
    answer = ask(alices_token)
    assert answer["source"] == "archive"
    assert answer["bars"][0]["trades"] == 1


def test_longer_intervals_are_roll_ups(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    five = NOW - NOW % 300 - 600
    put_hot(empty_redis, [minute(five + 60 * i, i + 1) for i in range(10)], covered_from=five)
    bars = ask(alices_token, interval="5m", start=five * 1000, end=(five + 600) * 1000)["bars"]
    assert [bar["trades"] for bar in bars] == [5, 5]
    assert [bar["t"] // 1000 for bar in bars] == [five, five + 300]


def test_a_last_bar_of_the_past_that_is_not_covered_is_not_forgiven(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    """Only the bar that runs now may be unfinished: this one ended minutes ago, seen in part."""
    five = NOW - NOW % 300 - 900
    put_hot(empty_redis, [minute(five + 60 * i, i + 1) for i in range(7)], covered_from=five)
    empty_redis.hset(keys.state(KEY), "covered_to", str((five + 420) * 1000))
    answer = ask(alices_token, interval="5m", start=five * 1000, end=(five + 600) * 1000)
    assert [bar["complete"] for bar in answer["bars"]] == [True, False]
    assert answer["complete"] is False


def test_seconds_can_be_asked_for(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START + 5, 1)], "1s")
    bars = ask(alices_token, interval="1s", end=(START + 8) * 1000)["bars"]
    assert [bar["t"] // 1000 for bar in bars] == [START + 5, START + 6, START + 7]


def test_auto_names_the_grain_it_used(instrument: Instrument, alices_token: dict[str, str]) -> None:
    week = ask(alices_token, interval="auto", start=(NOW - 7 * 86_400) * 1000)
    assert week["interval"] == "15m"


def test_times_may_be_iso(instrument: Instrument, alices_token: dict[str, str]) -> None:
    answer = ask(
        alices_token,
        start="2026-01-01T00:00:00Z",
        end="2026-01-01T01:00:00+00:00",
        path="historical",
    )
    assert answer["bars"] == []


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("realtime", {"symbol": "NOPE"}, "symbol"),
        ("realtime", {"symbol": ""}, "symbol"),
        ("realtime", {"minutes": "0"}, "minutes"),
        ("realtime", {"minutes": "1441"}, "minutes"),
        ("realtime", {"minutes": "many"}, "minutes"),
        ("realtime", {"interval": "2m"}, "interval"),
        ("realtime", {"unit": "sweep"}, "unit"),
        ("realtime", {"market": "moon"}, "market"),
        ("range", {"start": "yesterday", "end": "1"}, "start"),
        ("range", {"start": "2", "end": "1"}, "end"),
        ("range", {"start": "1"}, "end"),
        ("range", {"start": "0", "end": "99999999999"}, "interval"),
    ],
)
def test_each_wrong_parameter_is_named(
    instrument: Instrument,
    alices_token: dict[str, str],
    path: str,
    query: dict[str, str],
    named: str,
) -> None:
    answer = Client().get(f"/api/cvd/{path}", {"symbol": "BTCUSDT", **query}, **alices_token)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert list(answer.json()) == [named]


def test_a_stranger_is_refused(instrument: Instrument, client: Client) -> None:
    assert client.get("/api/cvd/realtime?symbol=BTCUSDT").status_code == 401


def test_a_wrong_token_is_refused(instrument: Instrument, client: Client) -> None:
    for header in ("Token tl_wrong", "Token", "Token a b"):
        answer = client.get("/api/cvd/realtime?symbol=BTCUSDT", HTTP_AUTHORIZATION=header)
        assert answer.status_code == 401


def test_the_session_is_enough(instrument: Instrument, alices_browser: Client) -> None:
    assert alices_browser.get("/api/cvd/realtime?symbol=BTCUSDT").status_code == 200


def test_other_methods_are_refused(instrument: Instrument, alices_token: dict[str, str]) -> None:
    assert Client().post("/api/cvd/realtime", **alices_token).status_code == 405  # type: ignore[arg-type]


def test_the_schema_describes_the_endpoints(alice: User, alices_token: dict[str, str]) -> None:
    schema = Client().get("/api/schema/", **alices_token).content.decode()  # type: ignore[arg-type]
    for path in ("/api/cvd/realtime", "/api/cvd/range", "/api/cvd/historical"):
        assert path in schema


def test_pages_backwards_are_the_range_without_a_seam(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START + 60 * i, i + 1) for i in range(5)])
    whole = ask(alices_token, end=(START + 300) * 1000)["bars"]
    paged: list[Any] = []
    before = (START + 300) * 1000
    for _ in range(3):
        query: dict[str, Any] = {"symbol": "BTCUSDT", "limit": 2, "before": before}
        answer = Client(**alices_token).get("/api/cvd/range", query)  # type: ignore[arg-type]
        bars = answer.json()["bars"]
        paged = [*bars, *paged]
        before = min([before, *(bar["t"] for bar in bars)])
    assert [bar["t"] for bar in paged] == [bar["t"] for bar in whole]
    assert [bar["delta"] for bar in paged] == [bar["delta"] for bar in whole]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"limit": 5, "start": 1}, "Expected start and end, or limit and before."),
        ({"limit": 5, "interval": "auto"}, "Expected a grain together with limit."),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"start": 1}, "Expected start and end, or limit."),
        ({"before": "yesterday", "limit": 5}, "expected"),
    ],
)
def test_a_wrong_page_says_what_was_expected(
    instrument: Instrument, alices_token: dict[str, str], query: dict[str, Any], said: str
) -> None:
    asked = {"symbol": "BTCUSDT", **query}
    answer = Client(**alices_token).get("/api/cvd/range", asked)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert said.lower() in answer.content.decode().lower()


def test_what_has_not_changed_is_not_sent_again(
    instrument: Instrument, alices_token: dict[str, str], empty_redis: redis.Redis
) -> None:
    put_hot(empty_redis, [minute(START, 1)])
    browser = Client(**alices_token)  # type: ignore[arg-type]
    query: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "start": START * 1000,
        "end": (START + 60) * 1000,
    }
    first = browser.get("/api/cvd/range", query)
    assert "no-cache" in first["Cache-Control"]
    again = browser.get("/api/cvd/range", query, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    put_hot(empty_redis, [minute(START, 1, bought=101)])
    changed = browser.get("/api/cvd/range", query, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
