"""A symbol's filters by hand-worked values."""

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.decimals import plain
from market.binance.filters import Draft, faults, round_down

FILTERS: list[dict[str, Any]] = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.0001", "maxQty": "9000", "stepSize": "0.0001"},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "50", "stepSize": "0"},
    {
        "filterType": "PERCENT_PRICE_BY_SIDE",
        "bidMultiplierUp": "1.2",
        "bidMultiplierDown": "0.2",
        "askMultiplierUp": "5",
        "askMultiplierDown": "0.8",
    },
    {
        "filterType": "NOTIONAL",
        "minNotional": "5",
        "applyMinToMarket": True,
        "maxNotional": "100000",
        "applyMaxToMarket": False,
    },
]


def first(**more: Any) -> tuple[str, str | None]:
    wanted = {"side": "BUY", "quantity": D("1"), "price": D("100"), "around": D("100"), **more}
    found = faults(FILTERS, Draft(**wanted))
    if not found:
        return "", None
    return found[0].filter, None if found[0].nearest is None else plain(found[0].nearest)


@pytest.mark.parametrize(
    ("more", "name", "nearest"),
    [
        ({}, "", None),
        # 100.004 is nearer to 100.00 than to 100.01, 100.006 to 100.01
        ({"price": D("100.004")}, "PRICE_FILTER", "100"),
        ({"price": D("100.006")}, "PRICE_FILTER", "100.01"),
        ({"price": D("0.001")}, "PRICE_FILTER", "0.01"),
        # never more than was asked for
        ({"quantity": D("1.00019")}, "LOT_SIZE", "1.0001"),
        ({"quantity": D("0.00005")}, "LOT_SIZE", "0.0001"),
        ({"quantity": D("9001")}, "LOT_SIZE", "9000"),
        # at the market its own largest counts too
        ({"quantity": D("51"), "price": None}, "MARKET_LOT_SIZE", "50"),
        # 120 % of 100 for who buys, 80 % for who sells
        ({"price": D("120.01")}, "PERCENT_PRICE_BY_SIDE", "120"),
        ({"price": D("120")}, "", None),
        ({"side": "SELL", "price": D("79.99")}, "PERCENT_PRICE_BY_SIDE", "80"),
        # 0.0499 x 100 is 4.99: 0.05 is worth 5
        ({"quantity": D("0.0499")}, "NOTIONAL", "0.05"),
        ({"quantity": D("0.05")}, "", None),
        ({"quantity": D("1001")}, "NOTIONAL", "100000"),
        ({"quantity": None, "price": None, "value": D("4.99")}, "NOTIONAL", "5"),
        # at the market the largest value does not apply, and without a price nothing can be said
        ({"quantity": D("1"), "price": None, "around": None}, "", None),
    ],
)
def test_each_filter_names_the_nearest_value_that_fits(
    more: dict[str, Any], name: str, nearest: str | None
) -> None:
    assert first(**more) == (name, nearest)


@given(
    st.decimals(D("0.00001"), D("10000"), places=7), st.decimals(D("0.001"), D("99999"), places=5)
)
def test_the_nearest_value_fits_where_there_is_one(quantity: D, price: D) -> None:
    wanted = {"side": "BUY", "quantity": quantity, "price": price, "around": None}
    for _ in range(6):
        found = faults(FILTERS, Draft(**wanted))  # type: ignore[arg-type]
        if not found or found[0].field not in wanted:
            return
        assert found[0].nearest is not None
        wanted[found[0].field] = found[0].nearest
    raise AssertionError(f"never fits: {wanted}")


def test_a_step_of_nothing_rounds_nothing() -> None:
    assert round_down(D("1.23456"), D(0)) == D("1.23456")
