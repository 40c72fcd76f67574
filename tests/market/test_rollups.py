"""Minutes, hours and days in PostgreSQL: always the roll-up of their seconds, whatever happens."""

import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest
from django.utils import timezone

from lib.decimals import UNIT
from market.archive import rollups
from market.archive import seconds as archive
from market.flow.bars import Bar, roll_up
from market.models import ArchiveHour, Instrument
from tests.conftest import MakeInstrument

pytestmark = pytest.mark.django_db
START = 1_790_035_200  # midnight, UTC
DAYS = 3


@pytest.fixture
def instrument(make_instrument: MakeInstrument) -> Instrument:
    return make_instrument("BTCUSDT")


def second(at: int, first_id: int, rng: random.Random, revision: int = 0) -> Bar:
    bar = Bar(at)
    bar.open, bar.close = (rng.randint(90, 110) * UNIT for _ in range(2))
    bar.high, bar.low = max(bar.open, bar.close) + UNIT, min(bar.open, bar.close) - UNIT
    bar.trades = rng.randint(1, 9)
    bar.first_id, bar.last_id = first_id, first_id + bar.trades - 1
    bar.base_buy, bar.base_sell = (rng.randint(0, 10**9) for _ in range(2))
    bar.quote_buy, bar.quote_sell = (rng.randint(0, 10**20) for _ in range(2))
    bar.delta_high, bar.delta_low = bar.quote_buy, -bar.quote_sell
    bar.trade[2] = bar.order[3] = bar.quote_buy
    bar.trade[8] = bar.order[9] = bar.quote_sell
    bar.trade[14] = bar.order[15] = bar.trades
    bar.revision = revision
    return bar


def collected(instrument: Instrument, seed: int = 1) -> list[Bar]:
    """Some seconds of three days, with quiet hours between."""
    rng = random.Random(seed)
    times = sorted(rng.sample(range(START, START + DAYS * 86_400), 900))
    times = [at for at in times if (at // 3600) % 7]
    bars, next_id = [], 1
    for at in times:
        bars.append(second(at, next_id, rng))
        next_id += 9
    archive.save(instrument.pk, "usd-1", bars, None)
    return bars


def now_after() -> datetime:
    return datetime.fromtimestamp(START + DAYS * 86_400 + 7200, UTC)


@pytest.mark.parametrize("length", [60, 300, 3600, 14_400, 86_400])
@pytest.mark.parametrize("done_hours", [0, 20, 500])
def test_longer_bars_are_the_roll_up_of_the_seconds(
    instrument: Instrument, length: int, done_hours: int
) -> None:
    bars = collected(instrument)
    rollups.roll_up_due(now_after(), limit=done_hours)
    rng = random.Random(length)
    for _ in range(12):
        start = START + rng.randint(0, DAYS * 1440) * 60
        end = start + rng.randint(0, 2 * 1440) * 60
        found = rollups.load_longest(instrument.pk, start, end, length, "usd-1")
        direct = roll_up([bar for bar in bars if start <= bar.time < end], length)
        rolled = roll_up([found[at] for at in sorted(found)], length)
        assert [bar.flow() for bar in rolled] == [bar.flow() for bar in direct]
    if done_hours == 500 and length == 86_400:
        whole = rollups.load_longest(instrument.pk, START, START + 2 * 86_400, length, "usd-1")
        assert len(whole) == 2  # read as two days, not as hundreds of seconds


def test_an_hour_that_is_not_over_is_left_alone(instrument: Instrument) -> None:
    rng = random.Random(1)
    now = timezone.now()
    archive.save(instrument.pk, "usd-1", [second(int(now.timestamp()) - 5, 1, rng)], None)
    assert rollups.roll_up_due(now) == 0
    assert rollups.roll_up_due(now + timedelta(hours=2)) == 1
    assert rollups.roll_up_due(now + timedelta(hours=2)) == 0


def test_a_late_write_makes_its_hour_due_again(instrument: Instrument) -> None:
    bars = collected(instrument)
    rollups.roll_up_due(now_after())
    assert not ArchiveHour.objects.filter(is_done=False).exists()
    late = second(bars[100].time, bars[100].first_id, random.Random(9), revision=1)
    archive.save(instrument.pk, "usd-1", [late], None)
    [due] = ArchiveHour.objects.filter(is_done=False)
    assert due.hour.timestamp() == late.time // 3600 * 3600
    check(instrument)  # read from the seconds meanwhile
    rollups.roll_up_due(now_after())
    check(instrument)


def test_a_bar_that_goes_goes_everywhere(instrument: Instrument) -> None:
    bars = collected(instrument)
    rollups.roll_up_due(now_after())
    hour = bars[0].time // 3600 * 3600
    gone = [bar.time for bar in bars if bar.time // 3600 * 3600 == hour]
    archive.save(instrument.pk, "usd-1", [], None, gone=gone)
    rollups.roll_up_due(now_after())
    check(instrument)
    assert archive.load(instrument.pk, hour, hour + 3600, table="market_hour_bar") == {}


def check(instrument: Instrument) -> None:
    end = START + DAYS * 86_400
    bars = archive.load(instrument.pk, START, end)
    for length in (60, 3600, 86_400):
        found = rollups.load_longest(instrument.pk, START, end, length, "usd-1")
        direct = roll_up(bars.values(), length)
        rolled = roll_up([found[at] for at in sorted(found)], length)
        assert [bar.flow() for bar in rolled] == [bar.flow() for bar in direct]


class Killed(Exception):
    pass


def at_line(number: int, act: Callable[[], None]) -> Any:
    """A tracer that acts before the `number`-th line of the roll-up's own code."""
    seen = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal seen
        if "market/archive" not in frame.f_code.co_filename:
            return None
        if event == "line":
            seen += 1
            if seen == number:
                act()
        return trace

    return trace


def run_traced(tracer: Any, work: Callable[[], object]) -> None:
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        work()
    finally:
        sys.settrace(before)


@pytest.mark.django_db(transaction=True)
def test_a_roll_up_killed_on_any_line_is_right_in_the_end(instrument: Instrument) -> None:
    rng = random.Random(2)
    bars = [second(START + 30 * n, 1 + 10 * n, rng) for n in range(6)]
    lines = 0
    for number in range(1, 2000, 3):
        archive.save(instrument.pk, "usd-1", bars, None)  # due again
        is_killed = False

        def kill() -> None:
            raise Killed

        try:
            run_traced(at_line(number, kill), lambda: rollups.roll_up_due(now_after()))
        except Killed:
            is_killed = True
        check(instrument)  # whatever it left behind
        rollups.roll_up_due(now_after())
        check(instrument)
        assert not ArchiveHour.objects.filter(is_done=False).exists()
        if not is_killed:
            break
        lines += 1
    assert lines > 40
