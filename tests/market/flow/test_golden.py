"""The captures' bars equal sums that were computed independently, to the last digit."""

from decimal import Decimal

import pytest

from lib.decimals import QUOTE_PLACES, decimal
from market.flow.bands import BANDS, USD
from market.flow.bars import Bar, roll_up
from market.flow.tape import TapeBuilder
from tests import captures

BAND_KEYS = {"trade": "bands_raw_trade", "order": "bands_same_T_and_side"}


def bars_of(name: str) -> list[Bar]:
    builder = TapeBuilder(USD, ticks_per_second=1000)
    builder.apply(captures.trades(name))
    return [bars[second] for _, bars in sorted(builder.held.items()) for second in sorted(bars)]


@pytest.mark.parametrize("name", captures.NAMES)
def test_totals_agree(name: str) -> None:
    golden = captures.golden(name)
    [total] = roll_up(bars_of(name), 10**12)
    assert total.trades == golden["counted"]
    assert (total.first_id, total.last_id) == (golden["first_id"], golden["last_id"])
    assert decimal(total.base_buy) == Decimal(golden["base_buy"])
    assert decimal(total.base_sell) == Decimal(golden["base_sell"])
    assert decimal(total.quote_buy, QUOTE_PLACES) == Decimal(golden["quote_buy"])
    assert decimal(total.quote_sell, QUOTE_PLACES) == Decimal(golden["quote_sell"])


@pytest.mark.parametrize("name", captures.NAMES)
def test_minutes_agree(name: str) -> None:
    golden = captures.golden(name)["minutes"]
    minutes = roll_up(bars_of(name), 60)
    assert [str(bar.time) for bar in minutes] == list(golden)
    for bar in minutes:
        expected = golden[str(bar.time)]
        assert bar.trades == expected["n"]
        assert decimal(bar.base_buy) == Decimal(expected["base_buy"])
        assert decimal(bar.base_sell) == Decimal(expected["base_sell"])
        assert decimal(bar.quote_buy, QUOTE_PLACES) == Decimal(expected["quote_buy"])
        assert decimal(bar.quote_sell, QUOTE_PLACES) == Decimal(expected["quote_sell"])


@pytest.mark.parametrize("unit", ["trade", "order"])
@pytest.mark.parametrize("name", captures.NAMES)
def test_bands_agree(name: str, unit: str) -> None:
    golden = captures.golden(name)[BAND_KEYS[unit]]
    [total] = roll_up(bars_of(name), 10**12)
    flat = total.trade if unit == "trade" else total.order
    for index, band in enumerate(USD.names):
        expected = golden.get(band, {"n": 0, "buy": "0", "sell": "0"})
        assert flat[2 * BANDS + index] == expected["n"]
        assert decimal(flat[index], QUOTE_PLACES) == Decimal(expected["buy"])
        assert decimal(flat[BANDS + index], QUOTE_PLACES) == Decimal(expected["sell"])
