"""Pictures of numbers, against places worked out by hand."""

from datetime import date
from decimal import Decimal as D

import pytest

from journal.drawings.curves import Line, curves, day_words, of_days
from journal.drawings.scales import Scale, scale_of, short, steps
from journal.drawings.spreads import histogram, round_edges, scatter


def words(value: float) -> str:
    return short(value, before="$")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (12, "+$12"),
        (-950, "−$950"),
        (1234, "+$1.23k"),
        (-2_500_000, "−$2.5M"),
        (0.00005, "+$0.00005"),
    ],
)
def test_an_axis_tells_signs_and_thousands_shortly(value: float, text: str) -> None:
    assert words(value) == text


def test_steps_are_round_and_inside_of_the_scale() -> None:
    assert steps(Scale(-7, 23)) == [0, 10, 20]
    assert steps(Scale(0, 1), 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_scale_holds_zero_and_has_room() -> None:
    scale = scale_of([D(50), D(100)], room=0.1)
    assert (scale.low, scale.high) == (-10, 110)
    assert scale.y(110) == 0
    assert scale.y(-10) == 100


def test_a_curve_steps_from_day_to_day_and_goes_on_to_the_edge() -> None:
    ends = Line("", "up", of_days([(date(2026, 3, 1), D(0)), (date(2026, 3, 3), D(10))]))
    short_one = Line("", "down", of_days([(date(2026, 3, 1), D(5)), (date(2026, 3, 2), D(-10))]))
    found = curves([ends, short_one], words, day_words(str))
    assert found is not None
    # from -10 to 10 with 6 % of 20 as room on both sides: 22.4 high; -10 lies 1.2 above the foot
    low = round((11.2 - -10) / 22.4 * 1000, 2)
    by_tone = {line.tone: line for line in found.lines}
    places = by_tone["down"].points.split(" ")
    assert len(places) == 4  # the first, a step, the second, the edge
    assert places[-1].startswith("1000,")
    assert float(places[-1].split(",")[1]) == pytest.approx(low, abs=0.1)
    assert [tick.text for tick in found.x_ticks] == ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_labels_at_the_end_do_not_lie_on_one_another() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 2)]
    lines = [Line(str(n), "", of_days([(days[0], D(0)), (days[1], D(100 + n))])) for n in range(3)]
    found = curves(lines, words, day_words(str))
    assert found is not None
    places = [line.label_at for line in found.lines]
    assert all(b - a >= 8.99 for a, b in zip(places, places[1:], strict=False))


def test_one_day_is_no_line() -> None:
    assert curves([Line("", "", [(1.0, D(1))])], words, words) is None


def test_bins_have_round_edges_and_zero_is_one_of_them() -> None:
    edges = round_edges(-37.2, 101.9)
    assert 0 in edges
    assert edges[0] <= -37.2
    assert edges[-1] >= 101.9
    widths = {round(b - a, 9) for a, b in zip(edges, edges[1:], strict=False)}
    assert widths == {10.0}


def test_a_histogram_counts_what_lies_beyond_its_edges() -> None:
    found = histogram([-10, 0, 10], [1, 2, 3, 4], 2.5, words)
    assert [item.count for item in found.bins] == [1, 2, 3, 4]
    assert [item.is_gain for item in found.bins] == [False, False, True, True]
    assert found.bins[0].text == "< −$10"
    assert found.bins[-1].text == "≥ +$10"
    assert found.zero == 50
    with pytest.raises(ValueError, match="expected 4 counts, was 3"):
        histogram([-10, 0, 10], [1, 2, 3], 0, words)


def test_a_scatter_knows_gains_from_losses() -> None:
    found = scatter([(1, D(-5), 7, "a"), (2, D(5), 8, "b")], str, words)
    assert found is not None
    assert [(point.is_gain, point.key) for point in found.points] == [(False, 7), (True, 8)]
    assert scatter([(1, 1, 1, "")], str, words) is None
