"""How far trades went: shares worked by hand."""

import math

from journal.metrics.explorer import Run, explore, share


def test_the_four_questions_of_forty_trades() -> None:
    stopped = [Run(-1, -1, 0.2, 1.5)] * 5 + [Run(-1, -1, 0.2, 0.5)] * 15
    won = [Run(1, -0.2, 2, 1)] * 10 + [Run(2, -0.6, 2, 0)] * 10
    found = explore(stopped + won)
    assert (found.back.value, found.back.count) == (0.25, 20)
    assert (found.further.value, found.further.count) == (0.5, 20)
    assert (found.late.value, found.late.count) == (0.75, 40)
    assert found.winners_heat == 0.6
    assert found.kept == 0.75
    assert found.winners == 20


def test_few_trades_answer_nothing() -> None:
    found = explore([Run(1, -0.2, 2, None)] * 19)
    assert (found.winners_heat, found.kept, found.late.value) == (None, None, None)
    assert found.further.count == 0


def test_a_share_has_wilsons_range() -> None:
    found = share(31, 100)
    assert math.isclose(found.low, 0.2278, abs_tol=5e-5)
    assert math.isclose(found.high, 0.4063, abs_tol=5e-5)
