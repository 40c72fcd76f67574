"""Losses in a row and sizes after them, on trades worked out by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from journal.metrics.tilt import Closed, Cost, History

START = datetime(2026, 11, 2, tzinfo=UTC)


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def trade(number: int, net: str, size: str = "100") -> Closed:
    """Open for half an hour, one an hour."""
    return Closed(hour(number), hour(number + 0.5), D(net), D(size))


# + - - - + -: the fourth is opened after two losses, the fifth after three, the sixth after a win
DAY = [
    trade(0, "10"),
    trade(1, "-1"),
    trade(2, "-2"),
    trade(3, "-4"),
    trade(4, "8"),
    trade(5, "-16"),
]


def test_losses_in_a_row_count_what_had_closed_by_then() -> None:
    history = History(DAY)
    assert [history.losses_at(hour(n)) for n in range(7)] == [0, 0, 1, 2, 3, 0, 1]
    assert history.losses_at(hour(3.49)) == 2
    assert history.losses_at(hour(3.5)) == 3


def test_what_was_opened_after_so_many_losses_is_summed() -> None:
    history = History(DAY)
    # after one or more: -2, -4, 8; after two: -4, 8; after three: 8
    assert history.after_losses(1) == Cost(3, D(2))
    assert history.after_losses(2) == Cost(2, D(4))
    assert history.after_losses(3) == Cost(1, D(8))
    assert history.after_losses(4) == Cost(0, D(0))


def test_a_trade_without_a_known_result_ends_a_row_and_a_flat_one_too() -> None:
    unknown = Closed(hour(2), hour(2.5), None, D(100))
    history = History([trade(1, "-1"), unknown, trade(3, "-1"), trade(4, "0")])
    assert [history.losses_at(hour(n)) for n in (2, 3, 4, 5)] == [1, 0, 1, 0]


def test_larger_is_against_the_mean_of_what_closed_last() -> None:
    rows = [trade(n, "1") for n in range(4)] + [trade(4, "-1", "200")]
    history = History(rows)
    # (4 x 100 + 200) / 5 = 120
    assert history.times_usual(D(180), hour(5)) == D("1.5")
    assert not history.is_larger_after_loss(D(180), hour(5))
    assert history.is_larger_after_loss(D(181), hour(5))
    assert not history.is_larger_after_loss(None, hour(5))


def test_after_a_win_nothing_is_too_large_and_few_trades_have_no_usual_size() -> None:
    winners = History([trade(n, "1") for n in range(6)])
    assert not winners.is_larger_after_loss(D(9000), hour(9))
    few = History([trade(n, "-1") for n in range(4)])
    assert few.times_usual(D(9000), hour(9)) is None
    assert not few.is_larger_after_loss(D(9000), hour(9))


def test_what_larger_trades_after_losses_came_to() -> None:
    rows = [trade(n, "-1") for n in range(5)]
    rows += [trade(5, "-50", "300"), trade(6, "-7", "100"), trade(7, "20", "400")]
    history = History(rows)
    # the 300 against 100; the 400 against (6 x 100 + 300) / 7 = 128.6
    assert history.larger_after_loss() == Cost(2, D(-30))
