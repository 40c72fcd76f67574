"""An exchange with accounts, in a thread of its own."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from accounts import tasks
from accounts.vault import keyring
from tests.accounts.exchange import AccountExchange


@pytest.fixture
def exchange() -> Iterator[AccountExchange]:
    with AccountExchange().running() as running:
        yield running


@pytest.fixture
def stage(
    settings: Any,
    tmp_path: Path,
    exchange: AccountExchange,
    monkeypatch: pytest.MonkeyPatch,
    db: None,
) -> None:
    """Our addresses lead to the exchange, keys lie in a folder, tasks run when asked."""
    settings.KEK_DIR = tmp_path / "keys"
    settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = exchange.http
    keyring.ensure()

    def check(account_id: str) -> None:
        try:
            tasks.check_account(account_id)
        finally:
            connection.close()

    def at_once(account_id: str) -> None:
        done = threading.Thread(target=check, args=(account_id,))
        done.start()
        done.join(30)

    monkeypatch.setattr(tasks.check_account, "delay_on_commit", at_once)
    monkeypatch.setattr(cache, "add", lambda *args: True)
