"""Bars read from both stores: what a covered time without trades costs, and what it is told as."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from lib.dates import to_ms
from market.archive.coverage import Stretch, add
from market.selectors.reading import read_span
from tests.conftest import MakeInstrument

pytestmark = pytest.mark.django_db
HOUR = 3600


def test_a_price_that_nobody_knows_is_looked_for_once(
    make_instrument: MakeInstrument, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """A market that was followed just now and has not traded yet: an hour of empty seconds."""
    instrument = make_instrument()
    end = to_ms(timezone.now()) // 1000 - HOUR
    start = end - HOUR
    add(instrument.pk, [Stretch(1, 9, start * 1000, end * 1000)])
    with django_assert_max_num_queries(20):
        span = read_span(instrument, "1s", start * 1000, end * 1000)
    assert span.bars == []
    assert span.covers(start * 1000, end * 1000)
