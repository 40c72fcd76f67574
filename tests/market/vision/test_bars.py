"""Bars of an archive's rows, of any length: a longer one is the roll-up of its seconds."""

import random
from collections.abc import Sequence

import polars as pl
import pytest

from market.asking.aggregates import bars_from
from market.flow.bands import SETS
from market.flow.bars import Bar, roll_up
from market.vision.bars import WAITING_SECONDS, BarMaker

MINUTE = 60
FIRST = 1_780_000_020
SCHEMA = {
    "id": pl.Int64,
    "last_id": pl.Int64,
    "price": pl.Int128,
    "quantity": pl.Int128,
    "time": pl.Int64,
    "maker": pl.Boolean,
}
Row = tuple[int, int, int, int, int, bool]


def rows_of(seed: int, count: int = 3_000) -> list[Row]:
    """In id order, of which some are missing; times run a little against ids, many are equal."""
    chance = random.Random(seed)
    made, trade_id, clock = [], 1, FIRST * 1000
    for _ in range(count):
        trade_id += chance.choice([1, 1, 1, 1, 3])
        last_id = trade_id + chance.choice([0, 0, 0, 2])
        clock += chance.choice([0, 0, 0, 5, 300, 900])
        late = chance.choice([0] * 9 + [(WAITING_SECONDS - 1) * 1000])
        price, quantity = chance.randrange(9, 12) * 10**12, chance.randrange(1, 10**9)
        made.append((trade_id, last_id, price, quantity, clock - late, chance.random() < 0.5))
        trade_id = last_id
    return made


def bars(rows: Sequence[Row], *, step: int, at_once: int, has_single_trades: bool) -> list[Bar]:
    maker = BarMaker(SETS["usd-1"], 1000, has_single_trades=has_single_trades, step=step)
    frames = [
        maker.take(pl.DataFrame(rows[start : start + at_once], schema=SCHEMA, orient="row"))
        for start in range(0, len(rows), at_once)
    ]
    return [
        bar for frame in [*frames, maker.finish()] if frame is not None for bar in bars_from(frame)
    ]


@pytest.mark.parametrize("has_single_trades", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_minute_is_the_roll_up_of_its_seconds(seed: int, has_single_trades: bool) -> None:
    rows = rows_of(seed)
    seconds = bars(rows, step=1, at_once=len(rows), has_single_trades=has_single_trades)
    expected = [bar.flow() for bar in roll_up(seconds, MINUTE)]
    assert len(expected) > 5
    for at_once in (len(rows), 700, 37):
        minutes = bars(rows, step=MINUTE, at_once=at_once, has_single_trades=has_single_trades)
        assert [bar.flow() for bar in minutes] == expected
        again = bars(rows, step=1, at_once=at_once, has_single_trades=has_single_trades)
        assert [bar.flow() for bar in again] == [bar.flow() for bar in seconds]
