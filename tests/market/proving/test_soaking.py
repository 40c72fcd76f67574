"""A hurried market is collected to the last digit, and a wrong bar is told."""

import asyncio
import json
from typing import Any
from urllib.request import urlopen

import pytest
import redis
from channels.db import database_sync_to_async as in_database
from django.core.management import CommandError, call_command

from market.flow.bars import Bar
from market.models import Instrument
from market.proving import soaking
from market.proving.bars import difference, differing
from tests.conftest import MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import collecting

SUMS: dict[str, Any] = {
    "trades": 0,
    "first_id": -1,
    "last_id": -1,
    **dict.fromkeys(("open", "high", "low", "close", "base_buy", "base_sell"), "0"),
}


@pytest.mark.django_db(transaction=True)
async def test_every_bar_of_a_hurried_market_is_proven(
    simulator: RunningSimulator,
    make_instrument: MakeInstrument,
    empty_redis: redis.Redis,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.BINANCE_SPOT_API_URL = simulator.http
    await in_database(make_instrument)()
    monkeypatch.setattr(soaking, "PART", 2)
    monkeypatch.setattr(soaking, "SPARE_SECONDS", 1)
    monkeypatch.setattr(soaking, "LOOK_SECONDS", 1.0)
    proven: list[int] = []
    prove = soaking._prove_part

    def noted(soak: soaking.Soak, tape: Instrument, start: int, end: int) -> None:
        proven.append(start)
        prove(soak, tape, start, end)

    monkeypatch.setattr(soaking, "_prove_part", noted)
    told: list[tuple[str, float]] = []
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: any(t.writer.covered_to for t in collector.tapes.values()), 20)

        def soak() -> soaking.Soak:
            return soaking.run(5, 1.5, lambda *what: told.append(what), lambda: False)

        seen = await in_database(soak, thread_sensitive=False)()
    assert seen.is_well, seen
    assert len(proven) > 1, "what is whole is compared while it goes on"
    assert proven == sorted(proven)
    assert seen.bars >= 4
    assert seen.trades > 50
    assert told[0][0].startswith("collecting")
    assert told[-1] == ("comparing, 0 wrong", 1.0)
    sources: list[Any] = [symbol.source for symbol in simulator.exchange.markets["spot"].symbols]
    assert [source.hurry for source in sources] == [1], "its usual pace again"


@pytest.mark.django_db
def test_without_a_simulator_it_says_what_it_expects(
    make_instrument: MakeInstrument, settings: Any
) -> None:
    settings.BINANCE_SPOT_API_URL = "http://127.0.0.1:1"
    make_instrument()
    with pytest.raises(CommandError, match="expected a simulator at"):
        call_command("soak", hours=1, pace=60)
    settings.VENUE = "binance"
    with pytest.raises(CommandError, match="a real market cannot be hurried"):
        call_command("soak")


def test_a_bar_that_differs_is_missing_or_was_never_traded_is_told() -> None:
    right, wrong, extra = Bar(60), Bar(61), Bar(62)
    wrong.trades = extra.trades = 1
    sums = {**SUMS, "buy": "0", "sell": "0", "trade": {}, "order": {}}
    assert difference(right, sums) == ""
    assert difference(None, sums) == "missing"
    told = dict(differing({60: sums, 61: sums, 63: sums}, {60: right, 61: wrong, 62: extra}))
    assert told == {61: "trades 1 is 0", 62: "a bar that nobody traded", 63: "missing"}


async def test_a_pace_that_is_none_is_refused(simulator: RunningSimulator) -> None:
    def post(body: Any) -> Any:
        data = json.dumps(body).encode()
        try:
            with urlopen(f"{simulator.http}/simulator/pace", data, timeout=10) as answer:
                return json.load(answer)
        except OSError as error:
            return str(error)

    assert await asyncio.to_thread(post, {"times": 4}) == {"times": 4, "markets": 1}
    for body in ({}, {"times": 0}, {"times": "4"}, {"times": True}, {"times": 1e9}):
        assert "400" in await asyncio.to_thread(post, body)
