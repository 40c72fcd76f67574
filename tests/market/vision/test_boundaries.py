"""Where a file, a chunk, a day or Redis ends: nothing is lost there and nothing counted twice."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError

from lib.decimals import UNIT
from market.archive import seconds as archive
from market.flow.bands import USD
from market.flow.bars import roll_up
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade
from market.hot import keys
from market.hot.codec import GapRecord, State, bar_fields
from market.models import Gap
from market.selectors.reading import read_hot, read_span
from tests import lines
from tests.conftest import KEY, MakeInstrument
from tests.market.vision import archives
from tests.market.vision.archives import DAY, NEXT, bars_of, run, same, stored, tape

pytestmark = pytest.mark.django_db


def test_ids_that_the_archive_does_not_have_are_recorded(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    trades = tape(DAY, 1000, 1)
    del trades[400:410]
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    [gap] = Gap.objects.all()
    assert (gap.first_id, gap.last_id, gap.state) == (401, 410, "unfillable")
    builder = TapeBuilder(USD)
    builder.apply(trades[:400])
    builder.break_sweep()
    builder.apply(trades[400:])
    assert same(stored(), {at: b for held in builder.held.values() for at, b in held.items()})


def test_times_that_run_against_ids_change_nothing(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    make_instrument()
    trades = tape(DAY, 2000, 1)
    trades[700], trades[705] = (
        Trade(701, 10 * UNIT, UNIT, trades[705].time, True),
        Trade(706, 11 * UNIT, UNIT, trades[700].time - 2_000_000, False),
    )
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    assert same(stored(), bars_of(trades))


@pytest.mark.django_db(transaction=True)
def test_minutes_that_redis_still_has_get_what_the_archive_adds(
    make_instrument: MakeInstrument, tmp_path: Path, empty_redis: redis.Redis
) -> None:
    instrument = make_instrument()
    trades = tape(DAY, 1500, 1)
    seen = bars_of(trades[700:])  # the collector came later: its first second is a part
    start, end = min(seen), max(seen)
    archive.save(instrument.pk, "usd-1", list(seen.values()), None)
    minutes = roll_up([seen[at] for at in sorted(seen)], 60)
    state = State(1500, 0, end, start * 1000 + 900, end * 1000, 1_000_000, None, start // 60 * 60)
    empty_redis.hset(keys.state(KEY), mapping=state.fields())
    for bar in minutes:
        empty_redis.hset(keys.bar(KEY, "1m", bar.time), mapping=bar_fields(bar))
        empty_redis.zadd(keys.bars(KEY, "1m"), {str(bar.time): bar.time})
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    whole = bars_of(trades)
    assert same(stored(), whole)
    span = read_span(instrument, "1m", start // 60 * 60_000, end * 1000)
    assert span.source == "hot"
    expected = {
        b.time: b
        for b in roll_up([whole[at] for at in sorted(whole) if at >= start // 60 * 60], 60)
    }
    for bar in span.bars:
        assert bar.flow() == expected[bar.time].flow()
    assert all(span.is_complete(bar) for bar in span.bars[:-1])
    revision: Any = empty_redis.hget(keys.state(KEY), "revision")
    assert int(revision) > 0  # live writers reload


def test_times_that_run_back_over_a_chunks_end_lose_nothing(
    make_instrument: MakeInstrument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instrument()
    monkeypatch.setattr("market.vision.rows.CHUNK_BYTES", 3000)
    trades = tape(DAY, 3000, 1)
    for at in range(100, 2900, 37):  # every now and then a trade that is two seconds too old
        old = trades[at]
        trades[at] = Trade(old.id, old.price, old.quantity, old.time - 2_000_000, True)
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    run(tmp_path)
    found = stored()
    assert sum(bar.trades for bar in found.values()) == 3000
    assert same(found, bars_of(trades))
    much = Trade(3001, UNIT, UNIT, trades[0].time, True)
    archives.write(tmp_path, "ETHUSDT-trades-2025-03-04", archives.trade_lines([*trades, much]))
    with pytest.raises(CommandError, match="expected times that grow, trade 3001"):
        run(tmp_path, symbol="ETHUSDT")


def test_a_row_that_does_not_count_ends_no_sweep(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    start = int(DAY.timestamp()) * 1_000_000
    rows = [
        f"{900 + n},100,{quantity},{n},{n},{start // 1000},true"
        for n, quantity in enumerate(("3", "0", "9"), 1)
    ]
    archives.write(tmp_path, "BTCUSDT-aggTrades-2025-03-04", rows)
    run(tmp_path, "--market", "usdm")
    [bar] = stored().values()
    assert bar.order[12:] == [0, 0, 1, 0, 0, 0]  # one order of 1200, not two


def test_ids_that_neither_of_two_days_has_are_recorded_and_gaps_over_both_are_filled(
    make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    instrument = make_instrument()
    one = [
        t for t in tape(NEXT - timedelta(seconds=40), 400, 1) if archives.day_of(t) < NEXT.date()
    ]
    two = tape(NEXT, 100, one[-1].id + 6)
    three = tape(NEXT + timedelta(days=1), 100, two[-1].id + 1)
    missed = GapRecord(
        two[50].id, three[50].id, two[50].time // 1000, three[50].time // 1000, "cut", "open"
    )
    archive.save(instrument.pk, "usd-1", [], None, [missed])
    for day, trades in (("04", one), ("05", two), ("06", three)):
        archives.write(tmp_path, f"BTCUSDT-trades-2025-03-{day}", archives.trade_lines(trades))
    run(tmp_path)
    absent = Gap.objects.get(cause="not in the archive")
    assert (absent.first_id, absent.last_id) == (one[-1].id + 1, two[0].id - 1)
    assert Gap.objects.get(cause="cut").state == "filled"


@pytest.mark.django_db(transaction=True)
def test_redis_is_mended_by_the_next_run_when_the_first_was_killed_before_it_did(
    make_instrument: MakeInstrument,
    tmp_path: Path,
    empty_redis: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instrument = make_instrument()
    trades = tape(DAY, 600, 1)
    minute = int(DAY.timestamp())
    [part] = roll_up(list(bars_of(trades[:20]).values()), 60)
    state = State(20, 0, part.time, minute * 1000, minute * 1000 + 900, 1_000_000, None, minute)
    empty_redis.hset(keys.state(KEY), mapping=state.fields())
    empty_redis.hset(keys.bar(KEY, "1m", minute), mapping=bar_fields(part))
    empty_redis.zadd(keys.bars(KEY, "1m"), {str(minute): minute})
    archives.write(tmp_path, "BTCUSDT-trades-2025-03-04", archives.trade_lines(trades))
    with monkeypatch.context() as patched:
        patched.setattr("market.vision.intake.mend", lambda *where: lines.kill())
        with pytest.raises(lines.Killed):
            run(tmp_path)
    run(tmp_path)
    _, hot, _, _ = read_hot(instrument.key, "1m", minute, minute + 60)
    whole = roll_up([bar for _, bar in sorted(bars_of(trades).items())], 60)[0]
    assert hot[minute].flow() == whole.flow()


def test_a_live_writer_counts_nothing_twice_behind_an_import() -> None:
    trades = tape(DAY, 900, 1)
    whole = bars_of(trades)
    builder = TapeBuilder(USD)  # it stood at id 400 and finds bars that an import completed
    builder.apply(trades[:400])
    cut = builder.sweep
    builder = TapeBuilder(USD)
    builder.sweep = cut
    for at, bar in whole.items():
        if bar.last_id <= trades[700].id:
            builder.held.setdefault(at // 60 * 60, {})[at] = bar.copy()
    for minute in {at // 60 * 60 for at in whole}:
        builder.held.setdefault(minute, {})
    builder.apply(trades[400:])
    found = {at: bar for held in builder.held.values() for at, bar in held.items()}
    assert [found[at].flow() for at in sorted(found)] == [whole[at].flow() for at in sorted(whole)]
