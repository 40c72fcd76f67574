"""A small tape whose sums are worked out by hand in the comments."""

import pytest

from lib.decimals import QUOTE_UNIT, UNIT
from market.flow.bands import BANDS, BTC, USD, bands_for
from market.flow.bars import Bar, roll_up
from market.flow.tape import MinuteNotHeld, TapeBuilder
from market.flow.trades import Trade
from tests.market.flow.rows import row


def build(rows: list[Trade]) -> dict[int, Bar]:
    builder = TapeBuilder(USD)
    builder.apply(rows)
    return {second: bar for bars in builder.held.values() for second, bar in bars.items()}


def dollars(amount: str) -> int:
    whole, _, cents = amount.partition(".")  # "12.5" -> 12.50 at 1e-16
    total_cents = int(whole) * 100 + int(cents.ljust(2, "0"))
    result: int = total_cents * (QUOTE_UNIT // 100)
    return result


TAPE = [
    row(1, "100.00", "0.5", 60.1, "buy"),  # 50 bought
    row(2, "101.00", "1", 60.1, "buy"),  # 101 bought, same sweep: 151 together
    row(3, "99.00", "2", 60.4, "sell"),  # 198 sold
    row(4, "98.50", "10", 60.4, "sell"),  # 985 sold, same sweep: 1183 together
    row(5, "99.00", "10", 61.0, "buy"),  # 990 bought, next second
]


def test_a_second_holds_its_prices_ids_and_sums() -> None:
    bar = build(TAPE)[60]
    assert (bar.open, bar.high, bar.low, bar.close) == (
        100 * UNIT,
        101 * UNIT,
        9850 * UNIT // 100,
        9850 * UNIT // 100,
    )
    assert (bar.trades, bar.first_id, bar.last_id) == (4, 1, 4)
    assert (bar.base_buy, bar.base_sell) == (15 * UNIT // 10, 12 * UNIT)
    assert (bar.quote_buy, bar.quote_sell) == (dollars("151"), dollars("1183"))


def test_running_delta_extremes_start_at_zero() -> None:
    # 50, 151, -47, -1032
    bar = build(TAPE)[60]
    assert (bar.delta_low, bar.delta_high) == (-dollars("1032"), dollars("151"))


def test_each_trade_falls_into_the_band_of_its_own_value() -> None:
    bar = build(TAPE)[60]
    assert bar.trade[:3] == [dollars("50"), dollars("101"), 0]
    assert bar.trade[BANDS : BANDS + 3] == [0, dollars("198") + dollars("985"), 0]
    assert bar.trade[2 * BANDS :] == [1, 3, 0, 0, 0, 0]


def test_trades_of_one_time_and_side_are_one_order() -> None:
    bar = build(TAPE)[60]
    assert bar.order[:3] == [0, dollars("151"), 0]
    assert bar.order[BANDS : BANDS + 3] == [0, 0, dollars("1183")]
    assert bar.order[2 * BANDS :] == [0, 1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("quantity", "band"), [("9.99999999", 1), ("10", 2), ("0.99999999", 0), ("1", 1)]
)
def test_an_edge_belongs_to_the_band_above(quantity: str, band: int) -> None:
    bar = build([row(1, "100", quantity, 60, "buy")])[60]
    assert bar.trade[2 * BANDS + band] == 1


def test_rows_that_are_no_flow_are_passed_over_and_do_not_end_a_sweep() -> None:
    bar = build(
        [
            row(1, "100", "1", 60, "buy"),
            row(2, "100", "5", 60, "sell", is_flow=False),
            row(3, "0", "0", 60, "buy", is_flow=False),
            row(4, "100", "1", 60, "buy"),
        ]
    )[60]
    assert (bar.trades, bar.first_id, bar.last_id) == (2, 1, 4)
    assert bar.order[2 * BANDS :] == [0, 1, 0, 0, 0, 0]


def test_a_change_of_side_ends_a_sweep_even_at_the_same_time() -> None:
    bar = build(
        [
            row(1, "100", "1", 60, "buy"),
            row(2, "100", "1", 60, "sell"),
            row(3, "100", "1", 60, "buy"),
        ]
    )[60]
    assert bar.order[2 * BANDS :] == [0, 3, 0, 0, 0, 0]


def test_a_trade_of_a_minute_that_is_not_held_is_not_applied() -> None:
    builder = TapeBuilder(USD)
    builder.hold(120, {})
    late = [row(1, "100", "1", 121, "buy"), row(2, "100", "1", 61, "buy")]
    with pytest.raises(MinuteNotHeld) as raised:
        builder.apply(late)
    assert (raised.value.minute, raised.value.index) == (60, 1)
    builder.hold(60, {})
    builder.apply(late, raised.value.index)
    assert builder.held[60][61].trades == builder.held[120][121].trades == 1


def test_a_longer_bar_is_the_roll_up_of_its_seconds() -> None:
    [minute] = roll_up([bar for _, bar in sorted(build(TAPE).items())], 60)
    assert (minute.trades, minute.open, minute.close) == (5, 100 * UNIT, 99 * UNIT)
    # the second's -1032 at its end, then +990 in the next second
    assert (minute.delta_low, minute.delta) == (-dollars("1032"), -dollars("42"))


def test_bands_belong_to_the_quote_asset() -> None:
    assert bands_for("BTC") is BTC
    assert bands_for("USDT") is bands_for("FDUSD") is USD


def test_a_big_order_is_told_when_it_has_ended_with_its_last_price() -> None:
    builder = TapeBuilder(USD)
    builder.apply([row(1, "100.00", "60", 60.1, "buy"), row(2, "101.00", "50", 60.1, "buy")])
    assert builder.big == []  # it may still grow
    builder.apply([row(3, "99.00", "1", 60.4, "sell")])
    [big] = builder.big
    assert (big.quote, big.price, big.is_buyer_maker) == (dollars("11050"), 101 * UNIT, False)
    builder.apply([row(4, "98.00", "1", 60.5, "buy")])
    assert len(builder.big) == 1  # 99 is no big order
