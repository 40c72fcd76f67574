"""An exchange with a year behind it, and an account whose fills wait for their flow."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import ExchangeAccount, User
from tests.journal.accounts import make_account
from tests.journal.sync.stage import DemoExchange


@pytest.fixture
def exchange() -> Iterator[DemoExchange]:
    with DemoExchange(has_demo=False, has_past=True).running() as running:
        yield running


@pytest.fixture
def account(alice: User, exchange: DemoExchange, settings: Any) -> ExchangeAccount:
    settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = exchange.http
    settings.BINANCE_VISION_URL = exchange.http
    settings.WEIGHT_BUDGET_PCT = 100_000
    cache.clear()
    made: ExchangeAccount = make_account(alice)
    return made
