"""Markouts worked by hand."""

import pytest

from journal.metrics.markout import Marked, markouts, size_of_other_side

EDGES = [100.0, 1000.0, 10_000.0, 100_000.0, 1_000_000.0]


def fill(trade: int, after: float, *, is_maker: bool = True, sign: int = 1) -> Marked:
    """Of 1000 at 100, a mid of 100.1 before, a fee of 0.2."""
    return Marked(
        trade=trade,
        is_maker=is_maker,
        sign=sign,
        price=100.0,
        value=1000.0,
        fee=0.2,
        mid=100.1,
        size="1k-10k",
        after={"1s": after},
    )


def test_what_a_maker_earned_and_lost() -> None:
    """Bought at 100 under a mid of 100.1: 10 bp of spread earned; a second later 99.9 or 99.7."""
    fills = [fill(trade, 99.9 if trade % 2 else 99.7) for trade in range(20)]
    whole, sized = markouts(fills, ["1k-10k"])
    assert (whole.role, whole.size, whole.fills, whole.trades) == ("maker", "", 20, 20)
    assert whole.spread_bps == pytest.approx(10)
    assert whole.fee_bps == pytest.approx(2)
    second = whole.marks[0]
    assert second.horizon == "1s"
    assert second.bps == pytest.approx(-20)
    assert second.money == pytest.approx(10 * -1 + 10 * -3)
    assert second.low is not None
    assert second.high is not None
    assert -30 <= second.low < -20 < second.high <= -10
    assert sized.marks[0].bps == second.bps


def test_a_sale_is_seen_from_its_own_side() -> None:
    fills = [fill(trade, 99.0, is_maker=False, sign=-1) for trade in range(20)]
    [taker] = markouts(fills, [])
    assert taker.marks[0].bps == pytest.approx(100)
    assert taker.spread_bps == pytest.approx(-10)


def test_few_trades_have_money_and_no_mean() -> None:
    [maker] = markouts([fill(trade, 101.0) for trade in range(19)], [])
    second = maker.marks[0]
    assert (second.bps, second.low, second.fills) == (None, None, 19)
    assert second.money == pytest.approx(190)
    assert maker.marks[1].fills == 0


def test_many_fills_of_one_trade_are_one() -> None:
    [maker] = markouts([fill(7, 101.0) for _ in range(40)], [])
    assert (maker.marks[0].fills, maker.marks[0].trades, maker.marks[0].bps) == (40, 1, None)


def test_the_other_sides_order_is_told_where_only_one_size_fits() -> None:
    only = [0.0, 0.0, 5000.0, 0.0, 0.0, 0.0]
    assert size_of_other_side(300.0, only, EDGES) == 2
    # a fill of 300 cannot be a part of an order below 100
    assert size_of_other_side(300.0, [90.0, 0.0, 5000.0, 0.0, 0.0, 0.0], EDGES) == 2
    # 400 in the band below 1000 may be it too
    assert size_of_other_side(300.0, [0.0, 400.0, 5000.0, 0.0, 0.0, 0.0], EDGES) is None
    assert size_of_other_side(300.0, [0.0] * 6, EDGES) is None
