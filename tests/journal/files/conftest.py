"""An account whose market is listed."""

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from market.models import Listing
from tests.journal.accounts import make_account


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    for market in ("spot", "usdm"):
        Listing.objects.create(
            venue="simulator",
            market=market,
            symbol="BTCUSDT",
            base_asset="BTC",
            quote_asset="USDT",
            status="TRADING",
            tick_size=1,
            step_size=0,
            min_notional=0,
            refreshed_at=timezone.now(),
        )
    return make_account(alice)
