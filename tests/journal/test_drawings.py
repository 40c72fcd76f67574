"""Drawings inside tables say what their numbers say."""

import re
from decimal import Decimal as D

import pytest

from journal.drawings.spreads import Point
from journal.metrics.spread import Spread
from journal.models import Trade
from journal.templatetags.journal_drawings import (
    flow_bar,
    mini_bars,
    mini_line,
    picture_points,
    range_bar,
    range_line,
    split_bar,
)


def rectangles(svg: str) -> list[tuple[str, int, int]]:
    """(class, x, width) of each."""
    found = re.findall(r'<rect class="(\w+)" x="(-?\d+)"[^>]*? width="(\d+)"', svg)
    return [(kind, int(x), int(width)) for kind, x, width in found]


def closed(**values: D | None) -> Trade:
    return Trade(direction="LONG", closed_at="2026-03-01T10:00Z", **values)


def test_worst_best_and_exit_lie_around_the_entry_in_the_middle() -> None:
    trade = closed(worst=D(-50), best=D(100), gross=D(50))
    assert rectangles(range_bar(trade)) == [("down", 23, 22), ("up", 45, 45), ("end", 66, 2)]


@pytest.mark.parametrize(
    "values",
    [{"worst": None, "best": None, "gross": D(5)}, {"worst": D(0), "best": D(0), "gross": D(0)}],
)
def test_nothing_known_is_no_bar(values: dict[str, D | None]) -> None:
    assert range_bar(closed(**values)) == "–"


def test_an_exit_beyond_what_bars_saw_stays_inside_the_picture() -> None:
    trade = closed(worst=D(-1), best=D(1), gross=D(100))
    assert rectangles(range_bar(trade))[-1] == ("end", 88, 2)


@pytest.mark.parametrize(
    ("share", "drawn"), [("0.5", ("up", 45, 22)), ("-1", ("down", 0, 45)), ("0", ("down", 45, 0))]
)
def test_flow_goes_right_with_the_trade_and_left_against_it(
    share: str, drawn: tuple[str, int, int]
) -> None:
    assert rectangles(flow_bar(Trade(flow_share=D(share)))) == [drawn]
    assert flow_bar(Trade(flow_share=None)) == ""


def test_a_range_that_holds_zero_is_hollow() -> None:
    assert 'class="spread flat"' in range_line(Spread(D(1), D(-1), D(3)), D(3))
    assert 'class="spread up"' in range_line(Spread(D(2), D(1), D(3)), D(3))
    assert 'class="spread down"' in range_line(Spread(D(-2), D(-3), D(-1)), D(3))
    assert 'class="spread flat"' in range_line(Spread(D(2), None, None), D(2))


def test_tiles_have_a_bar_a_day_and_nothing_where_nothing_was() -> None:
    assert rectangles(mini_bars([D(10), D(0), D(-5)])) == [
        ("up", 36, 7),
        ("down", 44, 7),
        ("down", 52, 7),
    ]
    assert mini_bars([D(0), D(0)]) == ""
    assert mini_line([D(1)]) == ""
    assert 'class="up" points="0,19 30,1 60,10"' in mini_line([D(0), D(2), D(1)])
    assert rectangles(split_bar(3, 1)) == [("up", 0, 44), ("down", 46, 14)]
    assert split_bar(0, 0) == ""


def test_points_tell_their_words_safely_and_lead_to_their_trades() -> None:
    points = [Point(1.5, 20.25, True, 70, "<b> +$3"), Point(0, 1e-7, False, 8, "BTC")]
    told = picture_points(points, False)
    assert 'href="/trades/70/"' in told and 'cx="1.5%" cy="20.25%"' in told
    assert "<title>&lt;b&gt; +$3</title>" in told
    assert told.count("picture-point up") == told.count("picture-point down") == 1
    hidden = picture_points(points, True)
    assert "+$3" not in hidden and hidden.count("•••") == 2
