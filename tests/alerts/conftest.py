"""Alerts of the cast over a tape that the test writes itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from accounts.vault import keyring
from alerts.models import Alert
from alerts.services import changing
from lib.dates import from_seconds
from lib.networks import parse_networks
from market.models import Instrument
from tests.alerts.tape import START, Tape
from tests.conftest import MakeInstrument

MakeAlert = Callable[..., Alert]


@pytest.fixture
def keys(db: None, settings: Any, tmp_path: Path) -> None:
    """Something to seal with."""
    settings.KEK_DIR = tmp_path / "keys"
    settings.KEK_DIR.mkdir(mode=0o700)
    keyring.ensure()


@pytest.fixture
def loopback_allowed(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = parse_networks(["127.0.0.0/8"])


@pytest.fixture
def instrument(make_instrument: MakeInstrument) -> Instrument:
    return make_instrument("BTCUSDT")


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def make_alert(alice: User, instrument: Instrument) -> MakeAlert:
    """Made at START; at 100, armed again 1 away, unless said otherwise."""

    def make(user: User | None = None, **said: Any) -> Alert:
        condition = {
            "kind": "price_crosses",
            "market": "spot",
            "symbol": "BTCUSDT",
            "level": "100",
            "hysteresis_pct": "1",
        }
        condition = said.pop("condition", condition)
        body = {"name": "an alert", "condition": condition, "cooldown_s": 0, **said}
        alert = changing.create(user=user or alice, body=body)
        Alert.objects.filter(pk=alert.pk).update(since=from_seconds(START))
        return Alert.objects.get(pk=alert.pk)

    return make
