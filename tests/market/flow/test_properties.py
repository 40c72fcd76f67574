"""What must hold for every tape, found by hypothesis."""

import random

from hypothesis import given
from hypothesis import strategies as st

from market.flow.bands import BANDS, USD
from market.flow.bars import Bar, roll_up
from market.flow.cumulative import cumulative
from market.flow.sequence import Cursor
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade

AMOUNTS = st.integers(1, 10**12)


@st.composite
def tapes(draw: st.DrawFn) -> list[Trade]:
    """Trades with consecutive ids; times rise, often stand still, now and then step back."""
    steps = draw(
        st.lists(
            st.tuples(
                AMOUNTS,
                AMOUNTS,
                st.sampled_from([0, 0, 0, 1, 999_999, 1_000_000, 59_000_000, -400_000]),
                st.booleans(),
                st.sampled_from([True] * 9 + [False]),
            ),
            min_size=1,
            max_size=60,
        )
    )
    time, rows = 1_700_000_000_000_000, []
    for index, (price, quantity, step, maker, is_flow) in enumerate(steps):
        time += step
        rows.append(Trade(1000 + index, price, quantity, time, maker, is_flow))
    return rows


def seconds_of(rows: list[Trade], splits: list[int] | None = None) -> list[Bar]:
    builder = TapeBuilder(USD)
    edges = sorted({0, len(rows), *(splits or [])})
    builder.hold(0, {})
    for first, last in zip(edges, edges[1:], strict=False):
        batch = rows[first:last]
        for trade in batch:  # every minute may be asked for: times step back
            minute = trade.time // 60_000_000 * 60
            builder.held.setdefault(minute, {})
        builder.apply(batch)
    return [bars[s] for _, bars in sorted(builder.held.items()) for s in sorted(bars)]


def flows(bars: list[Bar]) -> list[tuple[object, ...]]:
    return [bar.flow() for bar in bars]


@given(tapes())
def test_the_total_is_the_sum_of_the_bands_in_both_units(rows: list[Trade]) -> None:
    for bar in seconds_of(rows):
        for flat in (bar.trade, bar.order):
            assert sum(flat[:BANDS]) == bar.quote_buy
            assert sum(flat[BANDS : 2 * BANDS]) == bar.quote_sell
        assert sum(bar.trade[2 * BANDS :]) == bar.trades
        assert bar.delta_low <= min(0, bar.delta) <= max(0, bar.delta) <= bar.delta_high


@given(tapes())
def test_a_roll_up_of_roll_ups_is_the_direct_one(rows: list[Trade]) -> None:
    seconds = seconds_of(rows)
    assert flows(roll_up(roll_up(seconds, 60), 3600)) == flows(roll_up(seconds, 3600))


@given(tapes(), st.lists(st.integers(0, 60)))
def test_any_split_into_batches_gives_the_same_bars(rows: list[Trade], splits: list[int]) -> None:
    splits = [split for split in splits if split < len(rows)]
    assert flows(seconds_of(rows, splits)) == flows(seconds_of(rows))


@given(tapes(), st.randoms(use_true_random=False), st.integers(1, 20))
def test_any_arrival_order_and_any_repeats_give_the_same_trades(
    rows: list[Trade], rng: random.Random, repeats: int
) -> None:
    arrivals = rows + [rng.choice(rows) for _ in range(repeats)]
    rng.shuffle(arrivals)
    cursor = Cursor(rows[0].id - 1)
    ready = [trade for arrival in arrivals for trade in cursor.offer([arrival])]
    assert ready == rows
    assert cursor.hole() is None
    assert cursor.duplicates == repeats


@given(tapes(), st.data())
def test_a_mix_of_stream_and_rest_gives_the_same_trades(
    rows: list[Trade], data: st.DataObject
) -> None:
    lost = data.draw(st.sets(st.integers(1, max(1, len(rows) - 2))))
    cursor = Cursor(rows[0].id - 1)
    ready = []
    for index, trade in enumerate(rows):
        if index in lost and index != len(rows) - 1:
            continue
        ready += cursor.offer([trade])
        if (hole := cursor.hole()) is not None:
            answer = rows[hole.first_id - rows[0].id :][:1000]
            ready += cursor.offer(answer)
    assert ready == rows


@given(tapes())
def test_cumulative_lines_end_at_the_sum_of_deltas(rows: list[Trade]) -> None:
    bars = seconds_of(rows)
    lines = cumulative(bars, "order")
    if bars:
        total, by_band = lines[-1]
        assert total == sum(bar.delta for bar in bars) == sum(by_band)
