"""Ranges of differences, against a published example and by hand."""

from decimal import Decimal as D

from journal.metrics.differences import difference
from journal.metrics.spread import Spread
from journal.selectors.reports import wilson


def test_shares_have_newcombes_range() -> None:
    """Newcombe (1998), table II, example (a), method 10: 56/70 less 48/80 is 0.2, 0.0524 to
    0.3339."""
    first, second = (Spread(D(won) / of, *wilson(won, of)) for won, of in ((56, 70), (48, 80)))
    found = difference(first, second)
    assert found.low is not None
    assert found.high is not None
    assert found.mean.quantize(D("0.0001")) == D("0.2000")
    assert abs(found.low - D("0.0524")) < D("0.0002")
    assert abs(found.high - D("0.3339")) < D("0.0002")


def test_means_have_the_root_of_both_margins() -> None:
    """10 ± 3 less 4 ± 4: 6 ± 5."""
    found = difference(Spread(D(10), D(7), D(13)), Spread(D(4), D(0), D(8)))
    assert found == Spread(D(6), D(1), D(11))


def test_a_single_trade_has_no_range() -> None:
    found = difference(Spread(D(10), None, None), Spread(D(4), D(0), D(8)))
    assert found == Spread(D(6), None, None)
    assert found.crosses_zero
