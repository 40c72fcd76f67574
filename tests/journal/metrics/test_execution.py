"""Limit or market, worked by hand."""

import pytest

from journal.metrics.execution import Entry, Saved, advise, by_limit, by_market

# bought at the ask of 101 with a bid of 99, fees of 2 and 5 basis points
BOUGHT = Entry(sign=1, price=101.0, near=99.0, far=101.0, maker_fee=0.0002, taker_fee=0.0005)
# the same, by a limit order at 99
LIMIT = Entry(sign=1, price=99.0, near=99.0, far=101.0, maker_fee=0.0002, taker_fee=0.0005)


def test_a_limit_that_the_price_went_through_saves_the_spread_and_fees() -> None:
    found = by_limit(BOUGHT, low=98.0, high=102.0, later=100.0)
    assert found.is_filled
    assert found.bps == pytest.approx((2 / 101 + 0.0003) * 10_000)


def test_one_that_was_only_touched_is_not_filled() -> None:
    found = by_limit(BOUGHT, low=99.0, high=104.0, later=103.0)
    assert (found.is_filled, found.is_touched) == (False, True)
    # the market is paid a minute later: 103 and half a spread of 1
    assert found.bps == pytest.approx((101 - 104) / 101 * 10_000)


def test_a_sale_looks_at_the_other_end() -> None:
    sold = Entry(sign=-1, price=99.0, near=101.0, far=99.0, maker_fee=0.0, taker_fee=0.0)
    assert by_limit(sold, low=98.0, high=102.0, later=100.0).bps == pytest.approx(2 / 99 * 10_000)


def test_a_limit_entry_had_it_been_a_market_order() -> None:
    assert by_market(LIMIT).bps == pytest.approx((-2 / 99 - 0.0003) * 10_000)


def test_nothing_is_advised_below_twenty() -> None:
    one = Saved(10.0, is_filled=True, is_touched=False)
    other = Saved(20.0, is_filled=False, is_touched=True)
    few, enough = advise({"few": [one] * 19, "enough": [one, other] * 10})
    assert (few.count, few.saved, few.low) == (19, None, None)
    assert (enough.saved, enough.filled, enough.touched) == (15.0, 0.5, 0.5)
    assert enough.low is not None
    assert enough.high is not None
    assert 10 < enough.low < 15 < enough.high < 20
