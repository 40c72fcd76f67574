"""What had happened when a trade was opened, on days worked by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from journal.metrics.traits import (
    AtEntry,
    Entry,
    before,
    dimensions,
    hours,
    is_night,
    session,
    sizes,
    swings,
)

START = datetime(2026, 3, 2, tzinfo=UTC)


def entry(minute: int, result: float = 1, size: float = 100, lasting: int = 1) -> Entry:
    opened = START + timedelta(minutes=minute)
    return Entry(
        key=f"{minute:06d}",
        account="own",
        market="spot",
        symbol="BTCUSDT",
        direction="LONG",
        opened=opened,
        closed=opened + timedelta(minutes=lasting),
        hour=opened.hour,
        day=opened.date(),
        result=result,
        size=size,
        flow="",
        setup="",
    )


def test_losses_count_once_they_are_closed() -> None:
    first, second, third = entry(0, -1, lasting=10), entry(5, -1), entry(20)
    assert [one.losses for one in before([first, second, third])] == [0, 0, 2]


def test_a_win_ends_the_row() -> None:
    assert [one.losses for one in before([entry(0, -1), entry(5, 1), entry(10)])] == [0, 1, 0]


def test_the_order_of_the_list_changes_nothing() -> None:
    trades = [entry(0, -1), entry(5, -1), entry(10)]
    assert before(trades[::-1]) == before(trades)[::-1]


def test_a_day_counts_its_own_trades() -> None:
    trades = [entry(0), entry(5), entry(1500)]
    assert [one.of_day for one in before(trades)] == [1, 2, 1]


def test_larger_is_beside_the_twenty_before() -> None:
    usual = [entry(5 * at, -1) for at in range(20)]
    assert before([*usual, entry(200, size=126)])[-1].is_larger_after_loss
    assert not before([*usual, entry(200, size=125)])[-1].is_larger_after_loss
    assert not before([*usual[1:], entry(200, size=500)])[-1].is_larger_after_loss
    won = [*usual[:-1], entry(95, 1)]
    assert not before([*won, entry(200, size=500)])[-1].is_larger_after_loss


def test_a_trade_that_ends_as_it_begins_is_not_before_itself() -> None:
    assert before([entry(0, -1, lasting=0), entry(1)])[0].losses == 0


def test_thirds_of_ones_own_sizes() -> None:
    trades = [entry(at, size=size) for at, size in enumerate((10, 20, 30))]
    assert sizes(trades) == ["small", "middle", "large"]
    assert sizes([]) == []


def test_times_of_a_day() -> None:
    assert (hours(0), hours(7), hours(23)) == ("00-04", "04-08", "20-24")
    assert [is_night(hour) for hour in (5, 6, 21, 22)] == [True, False, False, True]
    assert [session(hour) for hour in (0, 8, 14, 22)] == ["asia", "europe", "america", "late"]


def test_what_is_not_known_is_no_group() -> None:
    asked = {one.name: one.groups for one in dimensions([entry(0)])}
    assert asked["flow"] == [None]
    assert asked["setup"] == [None]
    assert not {"hold", "maker", "mistake", "tag"} & set(asked)


def test_swings_are_beside_those_of_the_same_market() -> None:
    """21 of each, one market ten times as wild: both have seven of each kind, in their order."""
    calm = [replace(entry(at), at_entry=AtEntry(swing=at / 1000)) for at in range(1, 22)]
    wild = [
        replace(one, symbol="DOGEUSDT", at_entry=AtEntry(swing=10 * (one.at_entry.swing or 0)))
        for one in calm
    ]
    thirds = ["calm"] * 7 + ["middle"] * 7 + ["wild"] * 7
    assert swings([*calm, *wild]) == thirds + thirds


def test_few_entries_into_a_market_have_no_regimes() -> None:
    known = [replace(entry(at), at_entry=AtEntry(swing=at / 1000)) for at in range(1, 21)]
    assert swings(known) == [None] * 20
    assert swings([*known, entry(30)])[-1] is None
