"""Old bars leave as Parquet and come back; what was rolled up of them stays; nothing is lost."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from market.archive import audits, parquet, retention, rollups
from market.archive import seconds as archive
from market.flow.bars import Bar, roll_up
from market.flow.detail import Detail
from market.hot.codec import State
from market.models import ArchiveHour, Instrument, MinuteAudit, Retention
from market.selectors.reading import read_span
from tests import lines
from tests.conftest import MakeInstrument
from tests.market.test_rollups import DAYS, START, check, collected, second

pytestmark = pytest.mark.django_db
END = START + DAYS * 86_400
NOW = datetime.fromtimestamp(END, UTC) + timedelta(days=30)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.ARCHIVE_DIR = tmp_path / "archive"
    return settings.ARCHIVE_DIR  # type: ignore[no-any-return]


@pytest.fixture
def instrument(make_instrument: MakeInstrument) -> Instrument:
    return make_instrument("BTCUSDT")


def seconds(instrument: Instrument) -> list[tuple[object, ...]]:
    return [bar.flow() for bar in archive.load(instrument.pk, START, END).values()]


def longer(instrument: Instrument, length: int) -> list[tuple[object, ...]]:
    found = rollups.load_longest(instrument.pk, START, END, length, "usd-1")
    return [bar.flow() for bar in roll_up([found[at] for at in sorted(found)], length)]


def partition_names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'market_second_bar_2%%'")
        return {name for (name,) in cursor.fetchall()}


def test_without_a_policy_seconds_stay_for_ninety_days(
    instrument: Instrument, folder: Path
) -> None:
    bars = collected(instrument)
    assert retention.retain(NOW) == []
    assert seconds(instrument) == [bar.flow() for bar in bars]
    later = datetime.fromtimestamp(END, UTC) + timedelta(days=90)
    assert len(retention.retain(later)) == DAYS
    assert seconds(instrument) == []
    assert len(sorted(folder.rglob("*.parquet"))) == DAYS
    hours = longer(instrument, 3600)
    assert sum(int(str(hour[5])) for hour in hours) == sum(bar.trades for bar in bars)


def test_a_policy_or_a_setting_keeps_them_for_ever(instrument: Instrument, settings: Any) -> None:
    collected(instrument)
    later = NOW + timedelta(days=4000)
    settings.RETENTION_SECONDS_DAYS = 0
    assert retention.retain(later) == []
    settings.RETENTION_SECONDS_DAYS = 90
    Retention.objects.create(grain="1s", days=None)
    assert retention.retain(later) == []


def test_an_ill_partition_stays_and_the_others_go(
    instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected(instrument)
    Retention.objects.create(grain="1s", days=2)
    real, ill = parquet.write, iter([True])

    def write(grain: str, partition: str) -> str:
        if next(ill, False):
            raise OSError("no room")
        return real(grain, partition)

    monkeypatch.setattr(parquet, "write", write)
    assert len(retention.retain(NOW)) == DAYS - 1
    assert len(retention.retain(NOW)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_retentions_do_not_run_at_once(instrument: Instrument) -> None:
    collected(instrument)
    Retention.objects.create(grain="1s", days=2)
    before = seconds(instrument)
    other = psycopg.connect(**connection.get_connection_params())  # another worker's
    try:
        other.execute("SELECT pg_advisory_lock(%s)", [retention.ONE_AT_A_TIME])
        retention.retain_alone()
        assert seconds(instrument) == before
        # let go in words: after a bare close the server keeps it for a moment
        other.execute("SELECT pg_advisory_unlock(%s)", [retention.ONE_AT_A_TIME])
    finally:
        other.close()
    retention.retain_alone()
    assert before
    assert seconds(instrument) == []


def test_records_of_audits_go_and_those_that_did_not_agree_stay_longer(
    instrument: Instrument, make_instrument: MakeInstrument
) -> None:
    other = make_instrument("ETHUSDT")
    for item, days, state in [
        (instrument, 29, "agrees"),
        (instrument, 31, "agrees"),
        (instrument, 31, "differs"),
        (other, 400, "rebuilt"),
        (other, 364, "rebuilt"),
    ]:
        minute = NOW - timedelta(days=days, minutes=len(state))
        MinuteAudit.objects.create(instrument=item, minute=minute, state=state)
    assert audits.drop_old(NOW) == 2
    assert set(MinuteAudit.objects.values_list("state", flat=True)) == {
        "agrees",
        "differs",
        "rebuilt",
    }


def test_whole_partitions_leave_after_the_longest_policy_and_come_back(
    instrument: Instrument, folder: Path
) -> None:
    bars = collected(instrument)
    Retention.objects.create(grain="1s", days=31)  # the last of the three days stays
    dropped = retention.retain(NOW)
    assert len(dropped) == DAYS - 1
    assert partition_names().isdisjoint(dropped)
    kept = [bar.flow() for bar in bars if bar.time >= END - 86_400]
    assert seconds(instrument) == kept
    hours = longer(instrument, 3600)  # rolled up before their seconds went
    assert sum(int(str(hour[5])) for hour in hours) == sum(bar.trades for bar in bars)
    assert retention.retain(NOW) == []
    files = sorted(folder.rglob("*.parquet"))
    assert [file.name for file in files] == ["simulator-spot-BTCUSDT.parquet"] * (DAYS - 1)
    call_command("import_parquet", str(folder))
    assert seconds(instrument) == [bar.flow() for bar in bars]
    rollups.roll_up_due(NOW)
    check(instrument)
    assert longer(instrument, 3600) == hours


def test_a_shorter_policy_deletes_one_market_only(
    instrument: Instrument, make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_A_BATCH", 50)
    other = make_instrument("ETHUSDT")
    bars, others = collected(instrument), collected(other, seed=2)
    Retention.objects.create(grain="1s", days=None)
    Retention.objects.create(grain="1s", days=31, instrument=other)
    assert retention.retain(NOW) == []
    assert seconds(instrument) == [bar.flow() for bar in bars]
    assert seconds(other) == [bar.flow() for bar in others if bar.time >= END - 86_400]
    assert sum(int(str(day[5])) for day in longer(other, 86_400)) == sum(b.trades for b in others)


def test_a_late_second_does_not_replace_an_hour_whose_seconds_are_gone(
    instrument: Instrument,
) -> None:
    bars = collected(instrument)
    Retention.objects.create(grain="1s", days=31)
    retention.retain(NOW)
    before = longer(instrument, 3600)
    late = second(bars[0].time, bars[0].first_id, random.Random(5), revision=9)
    archive.save(instrument.pk, "usd-1", [late], None)
    rollups.roll_up_due(NOW)
    assert longer(instrument, 3600) == before


def test_minutes_and_days_have_their_own_policies(instrument: Instrument) -> None:
    collected(instrument)
    rollups.roll_up_due(NOW)
    days = longer(instrument, 86_400)
    Retention.objects.create(grain="1m", days=2)
    retention.retain(NOW + timedelta(days=70))  # minutes are partitioned by month
    assert archive.load(instrument.pk, START, END, table="market_minute_bar") == {}
    assert longer(instrument, 86_400) == days


@pytest.mark.django_db(transaction=True)
def test_retention_killed_on_any_line_loses_nothing(instrument: Instrument, folder: Path) -> None:
    bars = [second(START + 30 * n, 1 + 10 * n, random.Random(6)) for n in range(4)]
    Retention.objects.create(grain="1s", days=31)

    def restored() -> list[tuple[object, ...]]:
        if folder.exists() and any(folder.rglob("*.parquet")):
            call_command("import_parquet", str(folder), verbosity=0)
        return seconds(instrument)

    def work() -> None:
        archive.save(instrument.pk, "usd-1", bars, None)
        ArchiveHour.objects.update(is_pruned=False)
        retention.retain(NOW)

    archive.save(instrument.pk, "usd-1", bars, None)
    count = 0
    for count in lines.each_line("market/archive/retention", lines.kill, work):  # noqa: B007
        retention.retain(NOW)
        assert seconds(instrument) == []
        assert restored() == [bar.flow() for bar in bars]
        rollups.roll_up_due(NOW)
        check(instrument)
    assert count > 40


def test_a_strange_file_is_refused(instrument: Instrument, tmp_path: Path) -> None:
    empty = tmp_path / "empty.parquet"
    empty.write_bytes(b"not one")
    with pytest.raises(CommandError, match="expected a Parquet file of bars"):
        call_command("import_parquet", str(empty))
    pl.DataFrame({"a": [1]}).write_parquet(empty)
    with pytest.raises(CommandError, match="expected the columns grain, venue"):
        call_command("import_parquet", str(empty))
    with pytest.raises(CommandError, match="expected a file or a folder"):
        call_command("import_parquet", str(tmp_path / "nothing"))


def test_bars_without_single_trades_come_back_so(instrument: Instrument, folder: Path) -> None:
    bar: Bar = second(START, 1, random.Random(7))
    bar.detail, bar.trade = Detail.ORDER, [0] * 18
    archive.save(instrument.pk, "usd-1", [bar], None)
    Retention.objects.create(grain="1s", days=2)
    retention.retain(NOW)
    parquet.load(next(folder.rglob("*.parquet")))
    assert seconds(instrument) == [bar.flow()]


# --- what a reviewer found ----------------------------------------------------------------------


def test_a_month_of_minutes_goes_as_a_whole_and_as_parquet(
    instrument: Instrument, folder: Path
) -> None:
    collected(instrument)
    rollups.roll_up_due(NOW)
    minutes = archive.load(instrument.pk, START, END, table="market_minute_bar")
    Retention.objects.create(grain="1m", days=2)
    for day in range(0, 80, 4):  # as the beat runs it
        retention.retain(datetime.fromtimestamp(END, UTC) + timedelta(days=day))
    assert archive.load(instrument.pk, START, END, table="market_minute_bar") == {}
    call_command("import_parquet", str(folder))
    back = archive.load(instrument.pk, START, END, table="market_minute_bar")
    assert [bar.flow() for bar in back.values()] == [bar.flow() for bar in minutes.values()]


def test_a_second_that_comes_after_the_drop_takes_nothing_from_the_file(
    instrument: Instrument,
) -> None:
    bars = collected(instrument)
    Retention.objects.create(grain="1s", days=2)
    retention.retain(NOW)
    hours = longer(instrument, 3600)
    late = second(bars[0].time, bars[0].first_id, random.Random(8), revision=3)
    archive.save(instrument.pk, "usd-1", [late], None)
    retention.retain(NOW)
    call_command("import_parquet", str(next(iter(sorted(parquet_files(instrument))))))
    found = archive.load(instrument.pk, START, START + 86_400)
    expected = {bar.time: bar for bar in bars if bar.time < START + 86_400} | {late.time: late}
    assert [bar.flow() for bar in found.values()] == [
        expected[at].flow() for at in sorted(expected)
    ]
    assert len(hours) == len(longer(instrument, 3600))


def parquet_files(instrument: Instrument) -> list[Path]:
    from_settings: Path = settings.ARCHIVE_DIR
    return list(from_settings.rglob(f"*{instrument.symbol}.parquet"))


def test_seconds_that_are_kept_no_more_are_not_said_to_be_complete(
    instrument: Instrument,
) -> None:
    bars = collected(instrument)
    state = State(bars[-1].last_id, 0, bars[-1].time, START * 1000, END * 1000, 1_000_000, None)
    archive.save(instrument.pk, "usd-1", [], state)
    Retention.objects.create(grain="1s", days=31)
    whole = read_span(instrument, "1m", START * 1000, END * 1000)
    retention.retain(NOW)
    seconds_now = read_span(instrument, "1s", START * 1000, START * 1000 + 3_600_000)
    assert not seconds_now.is_whole
    assert not any(seconds_now.is_complete(bar) for bar in seconds_now.bars)
    assert read_span(instrument, "1s", (END - 7200) * 1000, (END - 3600) * 1000).is_whole
    again = read_span(instrument, "1m", START * 1000, END * 1000)
    assert [bar.flow() for bar in again.bars] == [bar.flow() for bar in whole.bars]


def test_an_older_hour_that_is_due_does_not_hide_hours_whose_seconds_are_gone(
    instrument: Instrument, make_instrument: MakeInstrument
) -> None:
    collected(instrument)
    Retention.objects.create(grain="1s", days=31)
    retention.retain(NOW)
    hours = longer(instrument, 3600)
    old = second(START - 86_400, 1, random.Random(4))
    archive.save(instrument.pk, "usd-1", [old], None)  # an import of the past is at work
    found = rollups.load_longest(instrument.pk, START - 86_400, END, 3600, "usd-1")
    rolled = roll_up([found[at] for at in sorted(found)], 3600)
    assert [bar.flow() for bar in rolled[1:]] == hours


def test_nothing_is_dropped_while_an_import_is_at_work(instrument: Instrument) -> None:
    bars = collected(instrument)
    Retention.objects.create(grain="1s", days=2)
    Instrument.objects.update(importing_until=timezone.now() + timedelta(seconds=60))
    assert retention.retain(NOW) == []
    assert seconds(instrument) == [bar.flow() for bar in bars]
