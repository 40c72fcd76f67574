"""Figures of pages: one minus, thousands apart, zero without a sign."""

from decimal import Decimal

import pytest
from django.utils import translation

from journal.selectors.insight_words import group_of, market_name, size_words
from journal.templatetags.journal_amounts import bps
from journal.templatetags.journal_texts import fine_rate, fixed, rate


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (rate(Decimal("-2.45")), "−245.0%"),
        (rate(Decimal("-16.152")), "−1,615.2%"),
        (fine_rate(Decimal("-0.00012")), "−0.012%"),
        (fixed(-0.0512), "−0.05"),
        (fixed(-0.004), "0.00"),
        (fixed(None), "–"),
        (bps(-12.34), "−12.3"),
        (bps(0.0), "0.00"),
    ],
)
def test_a_figure_below_zero_has_a_minus_and_not_a_hyphen(shown: str, told: str) -> None:
    assert shown == told


def test_a_band_is_told_as_one_reads_it() -> None:
    assert size_words(">=1M") == "≥1M"
    assert size_words("100-1k") == "100–1k"


def test_markets_and_directions_are_words() -> None:
    assert market_name("usdm") == "USD-M"
    assert group_of("direction", "LONG") == "Long"
    with translation.override("ko"):
        assert market_name("spot") == "현물"
        assert group_of("direction", "SHORT") == "숏"


def test_a_group_goes_without_the_number_in_front_and_a_name_as_it_is() -> None:
    assert group_of("hold", "2. < 5 m") == "< 5 m"
    assert group_of("weekday", "1 Monday") == "Monday"
    assert group_of("setup", "2. Breakout") == "2. Breakout"
    assert group_of("hour", "09:00") == "09:00"
