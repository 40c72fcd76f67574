"""Every run of the suite does a small campaign; `make chaos-orders ORDERS=3000` a large one."""

import os
import sys
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from market.binance import ordering, signing
from tests.accounts.exchange import AccountExchange
from tests.trading.chaos.campaign import Campaign
from tests.trading.stage import trader
from trading.services import resolving

ORDERS = int(os.environ.get("ORDERS", "60"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.django_db(transaction=True)
def test_each_order_is_there_once_or_not_at_all_and_its_intent_says_which(
    alice: User, stage: AccountExchange, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With shorter windows than the real ones, so that thousands fit into minutes."""
    monkeypatch.setattr(signing, "TIMEOUT_SECONDS", 2.0)
    monkeypatch.setattr(signing, "RECV_WINDOW_MS", 1500)
    monkeypatch.setattr(ordering, "RECV_WINDOW_MS", 1500)
    monkeypatch.setattr(resolving, "SENDER_GONE", timedelta(seconds=4))
    count = max(2, ORDERS // 100)
    settings.ACCOUNTS_PER_USER = count
    accounts = [trader(alice, stage) for _ in range(count)]
    report = Campaign(stage, accounts, ORDERS, SEED).run()
    sys.stdout.write(f"\n{report.text()}\n")
    assert not report.wrong, report.text()
    assert report.states["accepted"] > ORDERS // 4, report.text()
    assert report.kills and report.faults
