"""1 s bars and states in PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.decimals import QUOTE_UNIT, UNIT
from market.archive import partitions
from market.archive import seconds as archive
from market.flow.bars import Bar
from market.flow.tape import Sweep
from market.hot.codec import GapRecord, State
from market.models import Instrument
from tests.conftest import MakeInstrument

pytestmark = pytest.mark.django_db
START = 1_790_000_040


@pytest.fixture
def instrument(make_instrument: MakeInstrument) -> Instrument:
    return make_instrument("BTCUSDT")


def bar(time: int, first_id: int, last_id: int, revision: int = 0) -> Bar:
    made = Bar(time)
    made.open = made.high = made.low = made.close = 100 * UNIT
    made.trades, made.first_id, made.last_id = last_id - first_id + 1, first_id, last_id
    made.quote_buy = made.delta_high = made.trade[0] = made.order[0] = QUOTE_UNIT // 3
    made.trade[12] = made.order[12] = made.trades
    made.revision = revision
    return made


def state(last_id: int, newest: int = START + 2) -> State:
    return State(last_id, 4, newest, 1, 2, 1_000_000, Sweep(7, True, 9))


def test_bars_come_back_as_they_went(instrument: Instrument) -> None:
    bars = [bar(START, 1, 3), bar(START + 1, 4, 4)]
    archive.save(instrument.pk, "usd-1", bars, state(4))
    found = archive.load(instrument.pk, START, START + 10)
    assert [found[b.time].flow() for b in bars] == [b.flow() for b in bars]
    assert archive.load_state(instrument.pk) == state(4)
    assert archive.close_before(instrument.pk, START + 1) == 100 * UNIT


def test_of_two_versions_the_higher_revision_then_the_fuller_one_stays(
    instrument: Instrument,
) -> None:
    for version in (bar(START, 1, 3), bar(START, 1, 2), bar(START, 1, 1, revision=1)):
        archive.save(instrument.pk, "usd-1", [version], None)
    assert archive.load(instrument.pk, START, START + 1)[START].trades == 1
    archive.save(instrument.pk, "usd-1", [bar(START, 1, 9)], None)
    assert archive.load(instrument.pk, START, START + 1)[START].trades == 1


def test_a_state_never_goes_back(instrument: Instrument) -> None:
    archive.save(instrument.pk, "usd-1", [], state(9))
    archive.save(instrument.pk, "usd-1", [], state(5))
    found = archive.load_state(instrument.pk)
    assert found is not None and found.last_id == 9


def test_resuming_drops_bars_that_are_ahead_of_the_saved_cursor(instrument: Instrument) -> None:
    bars = [bar(START, 1, 3), bar(START + 1, 4, 6), bar(START + 2, 7, 8, revision=6)]
    archive.save(instrument.pk, "usd-1", bars, state(5))
    found = archive.resume_state(instrument.pk)
    assert found is not None
    # id 6 is ahead: its bar and those behind go, and the cursor stands before them
    assert (found.last_id, found.sweep, found.revision) == (3, None, 7)
    assert list(archive.load(instrument.pk, START, START + 10)) == [START]


def test_resuming_keeps_what_fits(instrument: Instrument) -> None:
    archive.save(instrument.pk, "usd-1", [bar(START, 1, 3)], state(3, START))
    found = archive.resume_state(instrument.pk)
    assert found is not None
    assert (found.last_id, found.sweep, found.revision) == (3, Sweep(7, True, 9), 5)
    assert archive.resume_state(instrument.pk + 1) is None


def test_a_closed_gap_is_not_opened_again(instrument: Instrument) -> None:
    for verdict in ("open", "filled", "open"):
        archive.save_gaps(instrument.pk, [GapRecord(5, 9, 1, 2, "late", verdict)])
    [gap] = archive.load_gaps(instrument.pk, 0, 10)
    assert gap.state == "filled"
    assert archive.load_open_gaps(instrument.pk) == []


def test_partitions_take_over_the_rows_of_their_day(instrument: Instrument) -> None:
    day = datetime(2031, 5, 1, tzinfo=UTC)
    time = int(day.timestamp()) + 5
    archive.save(instrument.pk, "usd-1", [bar(time, 1, 1)], None)
    assert partitions.prepare(day, day + timedelta(days=1)) == [
        "market_second_bar_20310501",
        "market_second_bar_20310502",
    ]
    assert partitions.prepare(day, day) == []
    assert time in archive.load(instrument.pk, time, time + 1)
