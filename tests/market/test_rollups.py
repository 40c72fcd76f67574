"""Minutes, hours and days in PostgreSQL: always the roll-up of their seconds, whatever happens."""

import random
import selectors
import shutil
import socket
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone

from lib.decimals import UNIT
from market.archive import rollups
from market.archive import seconds as archive
from market.flow.bars import Bar, roll_up
from market.models import ArchiveHour, Instrument
from tests import lines
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


@pytest.mark.django_db(transaction=True)
def test_a_roll_up_killed_on_any_line_is_right_in_the_end(instrument: Instrument) -> None:
    rng = random.Random(2)
    bars = [second(START + 30 * n, 1 + 10 * n, rng) for n in range(6)]

    def work() -> None:
        archive.save(instrument.pk, "usd-1", bars, None)  # due again
        rollups.roll_up_due(now_after())

    count = 0
    for count in lines.each_line("market/archive", lines.kill, work):  # noqa: B007
        check(instrument)  # whatever it left behind
        rollups.roll_up_due(now_after())
        check(instrument)
        assert not ArchiveHour.objects.filter(is_done=False).exists()
    assert count > 150


@pytest.mark.django_db(transaction=True)
def test_a_late_write_on_any_line_of_a_roll_up_is_in_its_bars_in_the_end(
    instrument: Instrument,
) -> None:
    rng = random.Random(3)
    bars = [second(START + 30 * n, 1 + 10 * n, rng) for n in range(6)]
    archive.save(instrument.pk, "usd-1", bars, None)
    revision = 0
    writers: list[threading.Thread] = []

    def write_late() -> None:
        """Another process: it may have to wait for the roll-up's lock."""

        def write() -> None:
            late = second(bars[2].time, bars[2].first_id, rng, revision)
            archive.save(instrument.pk, "usd-1", [late], None)
            connection.close()

        nonlocal revision
        revision += 1
        writers.append(threading.Thread(target=write))
        writers[-1].start()
        writers[-1].join(0.05)

    def work() -> None:
        ArchiveHour.objects.update(is_done=False)
        rollups.roll_up_due(now_after())

    count = 0
    for count in lines.each_line("archive/rollups", write_late, work):  # noqa: B007
        writers.pop().join()
        check(instrument)
        rollups.roll_up_due(now_after())
        check(instrument)
        assert archive.load(instrument.pk, START, START + 3600)[bars[2].time].revision == revision
    assert count > 60


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_commit_whose_answer_is_cut_is_done_or_not_and_repeats_without_harm(
    instrument: Instrument, is_committed: bool
) -> None:
    bars = [second(START + 30 * n, 1 + 10 * n, random.Random(4)) for n in range(6)]
    with CommitCutter(forward=is_committed) as folder:

        def save() -> None:
            settings = dict(connection.settings_dict)
            settings["OPTIONS"] = {**settings["OPTIONS"], "pool": False}
            connections["default"] = DatabaseWrapper({**settings, "HOST": folder}, "default")
            try:
                archive.save(instrument.pk, "usd-1", bars, None)
            except DatabaseError as error:
                errors.append(error)
            finally:
                connections["default"].close()

        errors: list[Exception] = []
        writer = threading.Thread(target=save)
        writer.start()
        writer.join()
    assert len(errors) == 1  # it cannot know
    assert len(archive.load(instrument.pk, START, START + 3600)) == (6 if is_committed else 0)
    archive.save(instrument.pk, "usd-1", bars, None)
    rollups.roll_up_due(now_after())
    found = archive.load(instrument.pk, START, START + 3600)
    assert [bar.flow() for bar in found.values()] == [bar.flow() for bar in bars]
    check(instrument)


class CommitCutter:
    """PostgreSQL behind a Unix socket that breaks at COMMIT, before or after it was passed on."""

    def __init__(self, *, forward: bool) -> None:
        self.folder = ""
        self.forward = forward
        self.server = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> str:
        self.folder = tempfile.mkdtemp(prefix="tl-cut-")  # a socket's path has to be short
        self.server.bind(f"{self.folder}/.s.PGSQL.5432")
        self.server.listen(1)
        self.thread = threading.Thread(target=self._relay)
        self.thread.start()
        return self.folder

    def __exit__(self, *error: object) -> None:
        self.thread.join()
        self.server.close()
        shutil.rmtree(self.folder)

    def _relay(self) -> None:
        near, _ = self.server.accept()
        far = socket.socket(socket.AF_UNIX)
        host = connection.settings_dict["HOST"]
        far.connect(f"{host}/.s.PGSQL.5432")
        with near, far, selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while True:
                for key, _ in ready.select():
                    source = near if key.data is far else far
                    data = source.recv(65_536)
                    if source is near and b"COMMIT\0" in data:
                        if self.forward:
                            far.sendall(data)
                            far.recv(1)  # done, but nobody will hear of it
                        return
                    if not data:
                        return
                    key.data.sendall(data)


def test_an_hour_that_cannot_be_rolled_up_stops_no_other(
    make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    ill, well = make_instrument("BTCUSDT"), make_instrument("ETHUSDT")
    collected(ill)
    collected(well, seed=2)
    real = archive.load

    def load(instrument_id: int, *arguments: Any, **more: Any) -> Any:
        if instrument_id == ill.pk:
            raise KeyError("odd")
        return real(instrument_id, *arguments, **more)

    monkeypatch.setattr(rollups, "load", load)
    rollups.roll_up_due(now_after(), limit=10_000)
    assert not ArchiveHour.objects.filter(instrument=well, is_done=False).exists()
    assert ArchiveHour.objects.filter(instrument=ill, is_done=False).exists()
