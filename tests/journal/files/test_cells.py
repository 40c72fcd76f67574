"""What single cells of an export say."""

from decimal import Decimal as D

import pytest

from journal.faults import Bad
from journal.files.cells import number
from journal.files.pairs import symbol_of


@pytest.mark.parametrize(
    ("told", "symbol"),
    [
        ("btc/usdt", "BTCUSDT"),
        ("BTC-USDT", "BTCUSDT"),
        ("BTC_USDT", "BTCUSDT"),
        ("1000PEPE-USDT", "1000PEPEUSDT"),
        ("BTCUSDT_210625", "BTCUSDT_210625"),
        ("BTCUSD_PERP", "BTCUSD_PERP"),
        ("BTC-240628-60000-C", "BTC-240628-60000-C"),
    ],
)
def test_a_pair_is_known_however_its_coins_are_parted(told: str, symbol: str) -> None:
    assert symbol_of(told) == symbol


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("1,234.5", "1234.5"),
        ("1 234 567.5", "1234567.5"),
        ("12\u00a0345\u00a0678", "12345678"),
        ("-1\u202f234", "-1234"),
        ("1E-8", "0.00000001"),
    ],
)
def test_thousands_may_be_parted_by_commas_or_blanks(told: str, value: str) -> None:
    assert number(told) == D(value)


@pytest.mark.parametrize("told", ["1 234,567", "1 23", "0 123", "1,234 567", "1 2345", "1,5"])
def test_what_could_be_two_numbers_is_refused(told: str) -> None:
    with pytest.raises(Bad):
        number(told)
