"""Book, 24 hours, mark prices and funding over REST, and their topics."""

import json
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.test import Client
from django.utils import timezone
from redis import Redis

from lib.dates import to_ms
from lib.decimals import decimal
from market.archive import marks
from market.binance.rest_rows import FundingRow
from market.book.levels import Mark
from market.hot import keys
from market.live.topics import refusal
from market.models import FundingRate, Instrument, MarkPrice, Retention
from tests.conftest import KEY, MakeInstrument

pytestmark = pytest.mark.django_db
BOOK = {
    "t": 5,
    "last_update_id": 9,
    "bids": [["10", "3"]],
    "asks": [["11", "1"]],
    "spread": "1",
    "mid": "10.5",
    "imbalance": "0.5",
}


@pytest.fixture
def future(make_instrument: MakeInstrument) -> Instrument:
    made: Instrument = make_instrument(market="usdm")
    return made


def test_a_book_is_answered_as_it_was_shown(
    make_instrument: MakeInstrument, alices_browser: Client, empty_redis: Redis
) -> None:
    make_instrument()
    empty_redis.set(keys.board(KEY, "book"), json.dumps(BOOK))
    said = alices_browser.get("/api/book", {"symbol": "BTCUSDT"}).json()
    assert said == {"symbol": "BTCUSDT", "market": "spot", "venue": "simulator", **BOOK}


def test_no_book_is_503_with_a_reason(
    make_instrument: MakeInstrument, alices_browser: Client, empty_redis: Redis
) -> None:
    make_instrument()
    make_instrument("ETHUSDT", is_followed=False)
    answer = alices_browser.get("/api/book", {"symbol": "BTCUSDT"})
    assert (answer.status_code, "connecting" in answer.json()["detail"]) == (503, True)
    answer = alices_browser.get("/api/ticker", {"symbol": "ETHUSDT"})
    assert "not followed any more" in answer.json()["detail"]
    assert alices_browser.get("/api/book", {"symbol": "NOPE"}).status_code == 400
    assert Client().get("/api/book", {"symbol": "BTCUSDT"}).status_code in {401, 403}


def test_marks_of_minutes_and_settled_funding_are_remembered(
    future: Instrument, alices_browser: Client
) -> None:
    mark = Mark(1, 100 * 10**8, 99 * 10**8, 10_000, 2)
    marks.save_marks(future.pk, {60: mark, 120: mark})
    marks.save_marks(future.pk, {120: Mark(1, 101 * 10**8, 99 * 10**8, 0, 2)})
    asked: dict[str, Any] = {"symbol": "BTCUSDT"}
    said = alices_browser.get("/api/mark-price", asked).json()
    assert said["rows"] == [
        {"t": 60_000, "mark": "100", "index": "99"},
        {"t": 120_000, "mark": "101", "index": "99"},
    ]
    rows = [FundingRow(28_800_000, "0.00010000", "100.5"), FundingRow(57_600_000, "-0.0002")]
    marks.save_funding(future, rows)
    marks.save_funding(future, rows)
    said = alices_browser.get("/api/funding", {**asked, "limit": 1}).json()
    assert said["rows"] == [{"t": 57_600_000, "rate": "-0.0002", "mark": None}]
    said = alices_browser.get("/api/funding", {**asked, "start": 0, "end": 57_600_000}).json()
    assert said["rows"] == [{"t": 28_800_000, "rate": "0.0001", "mark": "100.5"}]
    assert alices_browser.get("/api/funding", {**asked, "market": "spot"}).status_code == 400


def test_funding_is_asked_for_what_may_have_settled(future: Instrument) -> None:
    [(_, since)] = marks.due_for_funding()
    assert timezone.now() - since > timedelta(days=89)
    newest = FundingRate.objects.create(
        instrument=future, time=timezone.now(), rate=decimal(1), mark=None
    )
    assert marks.due_for_funding() == []
    newest.time -= timedelta(hours=1)
    newest.save()
    assert marks.due_for_funding() == [(future, newest.time + timedelta(seconds=1))]


def test_marks_go_with_the_minutes(future: Instrument) -> None:
    mark = Mark(1, 1, 1, 1, 2)
    now = timezone.now()
    old = to_ms(now - timedelta(days=40)) // 60_000 * 60
    marks.save_marks(future.pk, {old: mark, old + 20 * 86_400: mark})
    marks.drop_old_marks(now)
    assert MarkPrice.objects.count() == 2
    Retention.objects.update_or_create(grain="1m", instrument=None, defaults={"days": 30})
    marks.drop_old_marks(now)
    assert MarkPrice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("book:spot:BTCUSDT", None),
        ("ticker:spot:BTCUSDT", None),
        ("mark:usdm:BTCUSDT_260327", None),
        ("mark:spot:BTCUSDT", "no mark price"),
        ("book:spot:NOPE", "not followed"),
        ("book:spot", "expected"),
    ],
)
async def test_topics(make_instrument: MakeInstrument, topic: str, said: Any) -> None:
    await in_database(make_instrument)()
    await in_database(make_instrument)("BTCUSDT_260327", market="usdm")
    found = await refusal(topic)
    await in_database(Instrument.objects.count)()  # leaves no connection behind
    assert found is None if said is None else said in (found or "")
