"""Answers that will not change within seconds, and rows that cannot be read."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.conf import settings
from django.utils import timezone

from market.binance.breaker import DENIALS, FAILURES, Breaker
from market.binance.errors import MustWait, TryAgain
from market.binance.governor import FLOORS, Governor, Limit
from market.binance.rest import SpotRest
from market.hot import store
from market.models import ExchangeBan
from tests.conftest import MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import collecting


@pytest.fixture
async def governor() -> AsyncIterator[Governor]:
    client = store.connect(settings.REDIS_URL)
    yield Governor(client, Limit("test", 1000), budget_pct=100)
    await client.aclose()


def row(trade_id: int, price: str = "1.00000000") -> dict[str, object]:
    return {
        "id": trade_id,
        "price": price,
        "qty": "1.00000000",
        "quoteQty": "1",
        "time": 1,
        "isBuyerMaker": True,
        "isBestMatch": True,
    }


class Answering(SpotRest):
    """A REST adapter whose exchange answers what the test says."""

    def __init__(self, governor: Governor, *answers: tuple[int, object]) -> None:
        super().__init__("http://nowhere", governor)
        self.answers = list(answers)
        self.calls = 0

    async def _call(self, path: str) -> tuple[int, Any, bytes]:
        self.calls += 1
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        said = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return status, {}, said


async def test_403_again_and_again_silences_this_machine_for_minutes(governor: Governor) -> None:
    rest = Answering(governor, (403, "<html>WAF</html>"))
    for _ in range(10):
        with pytest.raises(MustWait) as waiting:
            await rest.newest_trades("BTCUSDT")
    assert rest.calls == 3
    assert 100 < waiting.value.seconds <= 120


async def test_403_for_one_symbol_alone_silences_nobody_else(governor: Governor) -> None:
    rest = Answering(governor, *[(403, "<html/>"), (200, [row(1)])] * 4)
    for _ in range(4):
        with pytest.raises(MustWait):
            await rest.newest_trades("ILLUSDT")
        assert len(await rest.newest_trades("BTCUSDT")) == 1


async def test_451_is_asked_ever_more_seldom_and_says_why(governor: Governor) -> None:
    told: list[tuple[float, str]] = []

    async def remember(seconds: float, reason: str) -> None:
        told.append((seconds, reason))
        governor._banned_until = 0.0
        await governor._client.flushdb()  # its time is over

    governor.on_ban = remember
    rest = Answering(governor, (451, {"code": 0, "msg": "restricted location"}))
    for _ in range(6):
        with pytest.raises(MustWait):
            await rest.newest_trades("BTCUSDT")
    assert [seconds for seconds, _ in told] == [300, 600, 1200, 2400, 3600, 3600]
    assert told[0][1] == "Binance answered 451: restricted location"


def test_a_call_that_goes_through_ends_the_growing() -> None:
    breaker = Breaker()
    breaker.denied(451)
    breaker.succeeded()
    assert breaker.denied(451) == (DENIALS[451][0], True)


async def test_a_page_of_html_with_200_is_a_failure(governor: Governor) -> None:
    rest = Answering(governor, (200, "<html><body>maintenance</body></html>"))
    for _ in range(FAILURES + 3):
        with pytest.raises(TryAgain):
            await rest.newest_trades("BTCUSDT")
    assert rest.calls == FAILURES


@pytest.mark.django_db(transaction=True)
async def test_why_the_exchange_wants_silence_is_kept_for_people(
    simulator: RunningSimulator, make_instrument: MakeInstrument
) -> None:
    await in_database(make_instrument)("BTCUSDT")
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        simulator.exchange.faults.start("status", {"code": 451, "seconds": 60, "rate": 1})
        with pytest.raises(MustWait):
            await collector.outside.rest.newest_trades("BTCUSDT")
        await eventually(in_database(ExchangeBan.objects.exists), 10, "the ban in the database")
        ban = await in_database(ExchangeBan.objects.get)()
        assert ban.reason.startswith("Binance answered 451")
        assert (ban.until - timezone.now()).total_seconds() > 200


async def test_checks_audits_and_orders_have_their_part_whatever_the_others_take(
    governor: Governor,
) -> None:
    # all of it in one minute
    await eventually(lambda: time.time() % 60 < 58, 10, "the next minute")
    with pytest.raises(MustWait):
        for _ in range(1000):
            await governor.reserve(25, "live", patience=0)
    for kind in ("check", "audit", "order"):
        for _ in range(int(1000 * FLOORS[kind]) // 10):
            await governor.reserve(10, kind, patience=0)
        with pytest.raises(MustWait):
            await governor.reserve(10, kind, patience=0)
    with pytest.raises(MustWait):
        await governor.reserve(10, "backfill", patience=0)


async def test_a_row_that_cannot_be_read_is_left_out_alone_and_listed(governor: Governor) -> None:
    rest = Answering(governor, (200, [row(1), row(2, "1.123456789"), row(3)]))
    assert [trade.id for trade in await rest.newest_trades("NINEUSDT")] == [1, 3]
    [(name, text)] = rest.unreadable.items()
    assert name == ("NINEUSDT", "2")
    assert "expected at most 8 decimal places" in text
    assert "1.123456789" in text


async def test_an_answer_of_which_most_cannot_be_read_is_none(governor: Governor) -> None:
    rest = Answering(governor, (200, [{"another": "layout"}, {"of": "rows"}, row(3)]))
    with pytest.raises(TryAgain, match="rows of trades"):
        await rest.newest_trades("BTCUSDT")
    assert rest.unreadable == {}
