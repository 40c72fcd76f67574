"""A capture through the whole collector, over an exchange that misbehaves, equals golden.json."""

from decimal import Decimal
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.test import Client

from accounts.models import User
from market.collector.collector import Collector
from market.models import SecondBar
from tests import captures
from tests.conftest import MakeInstrument, eventually
from tests.market.collector.foreign import ForeignExchange, capture
from tests.market.collector.stage import collecting, gaps_closed

NAME = "spot_btcusdt_20240808.gz"
BANDS = {"trade": "bands_raw_trade", "order": "bands_same_T_and_side"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(400)
@pytest.mark.parametrize("collectors", [1, 2])
async def test_the_api_gives_the_exact_minutes_of_the_capture(
    make_instrument: MakeInstrument, alice: User, collectors: int
) -> None:
    await in_database(make_instrument)("BTCUSDT")
    golden = captures.golden(NAME)
    async with capture(seconds=8).running() as exchange:
        await collect_it_all(exchange, golden["last_id"], collectors)
    browser = Client()
    await in_database(browser.force_login)(alice)
    for unit in ("trade", "order"):
        answer = await in_database(ask)(browser, exchange, golden, unit)
        check_minutes(answer, golden, exchange.shift_ms)
        check_bands(answer, golden[BANDS[unit]])
    saved = await in_database(lambda: sum(SecondBar.objects.values_list("trades", flat=True)))()
    assert saved == golden["trades"]


async def collect_it_all(exchange: ForeignExchange, last_id: int, count: int) -> None:
    http, ws = f"http://127.0.0.1:{exchange.port}", f"ws://127.0.0.1:{exchange.port}"
    async with collecting(http, ws) as collector:
        if count == 2:
            async with collecting(http, ws, "second") as second:
                await wait_for_end(exchange, collector, last_id)
                await wait_for_end(exchange, second, last_id)
        else:
            await wait_for_end(exchange, collector, last_id)
        [tape] = collector.tapes.values()
        await gaps_closed(tape)
    assert exchange.connects > 3


async def wait_for_end(exchange: ForeignExchange, collector: Collector, last_id: int) -> None:
    def is_at_end() -> bool:
        tapes = collector.tapes.values()
        return bool(tapes) and all(tape.writer.cursor.last_id == last_id for tape in tapes)

    await eventually(lambda: exchange.is_over and is_at_end(), 120, "the whole capture")


def ask(browser: Client, exchange: ForeignExchange, golden: Any, unit: str) -> Any:
    minutes = [int(minute) * 1000 + exchange.shift_ms for minute in golden["minutes"]]
    query: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "interval": "1m",
        "unit": unit,
        "market": "spot",
        "start": minutes[0],
        "end": minutes[-1] + 60_000,
    }
    answer = browser.get("/api/cvd/range", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def check_minutes(answer: Any, golden: Any, shift_ms: int) -> None:
    expected = {int(key) * 1000 + shift_ms: value for key, value in golden["minutes"].items()}
    assert [bar["t"] for bar in answer["bars"]] == list(expected)
    for bar in answer["bars"]:
        sums = expected[bar["t"]]
        assert bar["trades"] == sums["n"]
        for ours, theirs in (
            ("buy", "quote_buy"),
            ("sell", "quote_sell"),
            ("base_buy", "base_buy"),
            ("base_sell", "base_sell"),
        ):
            assert Decimal(bar[ours]) == Decimal(sums[theirs])
    assert not any(gap["state"] == "open" for gap in answer["gaps"])


def check_bands(answer: Any, golden: Any) -> None:
    for name, sums in golden.items():
        rows = [bar["bands"][name] for bar in answer["bars"]]
        assert sum(Decimal(row["buy"]) for row in rows) == Decimal(sums["buy"])
        assert sum(Decimal(row["sell"]) for row in rows) == Decimal(sums["sell"])
        assert sum(row["count"] for row in rows) == sums["n"]
        assert Decimal(rows[-1]["cvd"]) == Decimal(sums["cvd"])
