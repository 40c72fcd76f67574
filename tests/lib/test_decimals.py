"""Numbers as sentences tell them."""

from decimal import Decimal as D

import pytest

from lib.decimals import readable


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("96137.4200", "96,137.42"),
        ("946.269150968215238773", "946.2692"),
        ("50000", "50,000"),
        ("-1234567.891", "−1,234,567.89"),
        ("0.000012345678", "0.00001234568"),
        ("-0.5", "−0.5"),
        ("100", "100"),
        ("0", "0"),
        ("-0.00", "0"),
        ("NaN", "NaN"),
    ],
)
def test_a_number_in_a_sentence_is_short_and_has_its_thousands_apart(
    value: str, shown: str
) -> None:
    assert readable(D(value)) == shown
