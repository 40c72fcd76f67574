from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import ExchangeAccount, User
from accounts.vault import keyring
from tests.accounts.exchange import AccountExchange
from tests.trading.stage import close_desk, point_to, trader


@pytest.fixture
def exchange() -> Iterator[AccountExchange]:
    with AccountExchange().running() as running:
        yield running


@pytest.fixture
def stage(
    settings: Any, tmp_path: Path, exchange: AccountExchange, transactional_db: None
) -> Iterator[AccountExchange]:
    settings.KEK_DIR = tmp_path / "keys"
    point_to(settings, exchange)
    keyring.ensure()
    yield exchange
    close_desk()


@pytest.fixture
def account(alice: User, stage: AccountExchange) -> ExchangeAccount:
    """Alice's, with trading on and without caps."""
    return trader(alice, stage)
