"""Seconds around fills stay when retention drops the others."""

from datetime import timedelta

import pytest

from accounts.models import User
from journal.models import FillFlow
from journal.stamps import stamping
from lib.dates import to_ms
from market.archive import retention
from market.models import Instrument, Retention
from market.selectors.reading import read_span
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.test_stamping import NOON, tape

__all__ = ["tape"]


@pytest.mark.django_db
@pytest.mark.parametrize("has_longer_policy", [False, True])
def test_what_a_fill_needs_stays_when_its_day_is_dropped(
    alice: User, tape: Instrument, has_longer_policy: bool
) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "102", time=NOON + timedelta(seconds=10)))
    Retention.objects.update_or_create(grain="1s", instrument=None, defaults={"days": 2})
    if has_longer_policy:  # then rows are deleted instead of the whole day
        other = Instrument.objects.create(
            venue="simulator",
            market="spot",
            symbol="ETHUSDT",
            base_asset="ETH",
            quote_asset="USDT",
            band_set="usd-1",
        )
        Retention.objects.create(grain="1s", instrument=other, days=None)
    retention.retain(NOON + timedelta(days=30))
    start = to_ms(NOON) - 890_000
    span = read_span(tape, "1s", start, to_ms(NOON) + 10_000)
    assert span.is_whole
    assert {bar.detail.word for bar in span.bars} == {"full"}
    assert sum(bar.trades for bar in span.bars) == 900
    assert span.bars[0].bid
    # what nobody needs has gone
    assert not read_span(tape, "1s", start - 600_000, start).is_whole
    assert not read_span(tape, "1s", to_ms(NOON) + 600_000, to_ms(NOON) + 700_000).bars
    # minutes stay as they were, and the fill can be stamped still
    assert read_span(tape, "1m", to_ms(NOON) - 3_600_000, to_ms(NOON)).is_whole
    stamping.stamp_due()
    assert FillFlow.objects.get().basis == "trades"
