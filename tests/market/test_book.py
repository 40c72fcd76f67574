"""Order books: kept as the exchange describes it, against what was really recorded."""

import json
from bisect import bisect_right
from collections.abc import Iterator

import pytest

from lib.decimals import scaled
from market.answers import book_answer
from market.binance.conversions import as_depth, as_snapshot
from market.binance.frames import decode_book_ticker, decode_depth
from market.binance.rest_rows import decode_depth_body
from market.book.keeping import BookKeeper
from market.book.levels import DepthChange, Level, Levels, Snapshot
from tests import captures

U = 10**8


def change(
    first: int,
    last: int,
    bids: dict[int, int] | None = None,
    asks: dict[int, int] | None = None,
    previous: int | None = None,
) -> DepthChange:
    return DepthChange(
        first, last, previous, 1, list((bids or {}).items()), list((asks or {}).items())
    )


SNAPSHOT = Snapshot(100, 1, [(10, 5), (9, 5)], [(11, 5), (12, 5)])


def a_book(depth: int = 1000) -> BookKeeper:
    keeper = BookKeeper(depth)
    keeper.take(change(99, 101))
    assert keeper.needs_snapshot
    assert keeper.begin(SNAPSHOT)
    return keeper


def sides(keeper: BookKeeper, count: int = 20) -> tuple[list[Level], list[Level]]:
    assert keeper.levels is not None
    return keeper.levels.bids(count), keeper.levels.asks(count)


def test_quantities_are_absolute_and_zero_takes_a_level_away() -> None:
    keeper = a_book()
    assert keeper.take(change(102, 103, {10: 0, 8: 3}, {11: 7}))
    assert sides(keeper) == ([(9, 5), (8, 3)], [(11, 7), (12, 5)])


def test_frames_from_before_the_snapshot_are_dropped_and_later_ones_applied() -> None:
    keeper = BookKeeper(1000)
    for frame in (change(90, 95, {10: 1}), change(96, 101, {10: 2}), change(102, 102, {9: 0})):
        assert not keeper.take(frame)
    assert keeper.begin(SNAPSHOT)
    assert sides(keeper)[0] == [(10, 2)]


def test_a_snapshot_older_than_the_frames_is_of_no_use() -> None:
    keeper = BookKeeper(1000)
    keeper.take(change(150, 160))
    assert not keeper.begin(SNAPSHOT)
    assert keeper.needs_snapshot
    assert keeper.begin(Snapshot(155, 1, [(1, 1)], [(2, 1)]))


@pytest.mark.parametrize(
    ("frame", "is_hole"),
    [
        (change(102, 103), False),
        (change(103, 104), True),
        (change(90, 104), False),  # overlaps: from a second connection
        (change(200, 201, previous=101), False),  # futures' ids jump, pu tells
        (change(102, 105, previous=103), True),
    ],
)
def test_a_hole_ends_the_book(frame: DepthChange, is_hole: bool) -> None:
    keeper = a_book()
    assert keeper.take(frame) is not is_hole
    assert (keeper.levels is None, keeper.losses) == (is_hole, int(is_hole))
    assert keeper.needs_snapshot is is_hole  # the frame behind the hole waits for the next one


def test_what_was_applied_changes_nothing_a_second_time() -> None:
    keeper = a_book()
    keeper.take(change(102, 103, {10: 9}))
    assert not keeper.take(change(100, 102, {10: 1}))
    assert sides(keeper)[0][0] == (10, 9)


def test_a_crossed_book_is_thrown_away() -> None:
    keeper = a_book()
    assert not keeper.take(change(102, 103, {11: 1}))
    assert keeper.levels is None


def test_lower_ids_of_later_frames_are_another_book() -> None:
    keeper = a_book()
    frame = DepthChange(5, 6, None, 20_000, [], [])
    assert not keeper.take(frame)
    assert keeper.needs_snapshot


def test_levels_beyond_the_snapshots_edge_are_not_shown() -> None:
    levels = Levels(SNAPSHOT, depth=2)
    levels.change([(8, 1)], [(13, 1)])
    assert levels.bids(20) == [(10, 5), (9, 5)]
    assert levels.is_thin(20)
    assert not Levels(SNAPSHOT, depth=1000).is_thin(20)  # a small book, but the whole of it


def test_the_answer_says_spread_mid_and_imbalance() -> None:
    said = book_answer(7, 1, [(10 * U, 3 * U), (9 * U, U)], [(11 * U, U)])
    assert (said["spread"], said["mid"], said["imbalance"]) == ("1", "10.5", "0.6")
    assert said["bids"] == [("10", "3"), ("9", "1")]
    empty = book_answer(7, 1, [], [(11 * U, U)])
    assert (empty["spread"], empty["mid"], empty["imbalance"]) == (None, None, None)


# --- the captures -------------------------------------------------------------------------------


def recorded(name: str) -> Iterator[DepthChange | Snapshot]:
    """The frames of a capture's book and its snapshot, as they came."""
    for frame in captures.frames(name):
        if b"@depth" in frame[:60]:
            yield as_depth(decode_depth(frame).data)
        elif frame.startswith(b'{"lastUpdateId"'):
            yield as_snapshot(decode_depth_body(frame))


def best_prices(name: str) -> tuple[list[int], list[tuple[int, int]]]:
    """(update ids, best bid and ask at each), as the exchange told them by `@bookTicker`."""
    tickers = [
        decode_book_ticker(frame).data
        for frame in captures.frames(name)
        if b"@bookTicker" in frame[:60]
    ]
    ids = [json.loads(f)["data"]["u"] for f in captures.frames(name) if b"@bookTicker" in f[:60]]
    return ids, [(scaled(item.bid), scaled(item.ask)) for item in tickers]


def take(keeper: BookKeeper, item: DepthChange | Snapshot) -> None:
    if isinstance(item, Snapshot):
        assert keeper.begin(item)
    else:
        keeper.take(item)


@pytest.mark.parametrize("name", captures.NAMES)
def test_a_recorded_book_has_the_recorded_best_prices_at_every_update(name: str) -> None:
    ids, prices = best_prices(name)
    # the price left the snapshot's range, and there is no second snapshot in the capture
    keeper, compared = BookKeeper(depth=10**6), 0
    for item in recorded(name):
        take(keeper, item)
        if keeper.levels is None or keeper.last_id < ids[0]:
            continue
        bid, ask = keeper.levels.bids(1)[0][0], keeper.levels.asks(1)[0][0]
        assert (bid, ask) == prices[bisect_right(ids, keeper.last_id) - 1]
        compared += 1
    assert keeper.losses == 0
    assert compared > captures.golden(name)["depth_events"] * 0.99
    assert (bid, ask) == prices[-1]


@pytest.mark.parametrize("name", captures.NAMES)
def test_a_recorded_book_comes_back_after_a_cut(name: str) -> None:
    items = list(recorded(name))
    whole, cut = BookKeeper(10**6), BookKeeper(10**6)
    for number, item in enumerate(items):
        take(whole, item)
        if not 1000 <= number < 1100:
            take(cut, item)
        if number == 1150:  # the snapshot comes late
            assert cut.needs_snapshot
            assert cut.losses == 1
            snapshot = Snapshot(whole.last_id, 1, *sides(whole, 5000))
        if number == 1170:
            assert cut.begin(snapshot)
    assert cut.losses == 1
    assert sides(cut) == sides(whole)
