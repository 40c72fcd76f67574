"""Whatever stands in the place of a value, at any depth of a body: never a 500."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import ExchangeAccount
from tests.trading.test_orders_api import body

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_often_as_wished"),
]

ODD: list[Any] = [[], [[]], {}, {"a": []}, None, True, -1, 1.5, 10**25, "", " ", "x" * 5_000, "٣"]
BRACKET = {"name": "a", "stop_percent": "1", "targets": ["1"], "risk": {"money": "1"}}
ALERT = {
    "name": "a",
    "condition": {"kind": "price_crosses", "symbol": "BTCUSDT", "market": "spot", "price": "1"},
    "channels": [],
    "cooldown_s": 60,
    "once": False,
    "paused": False,
}


def doors(account: ExchangeAccount) -> list[tuple[str, str, dict[str, Any]]]:
    mine = {"account": str(account.pk)}
    order = body(account, risk={"stop": "49000", "money": "1"}, targets=["52000"])
    return [
        ("POST", "/api/orders", order),
        ("POST", "/api/orders/preview", order),
        ("PUT", "/api/brackets", {"brackets": [BRACKET]}),
        ("PUT", "/api/rules", {"rules": [{"name": "stop", "value": {}, "mode": "warn"}]}),
        ("PUT", "/api/rules", {"rules": [{"name": "day_trades", "value": {"count": 3}}]}),
        ("PUT", "/api/rules", {"rules": [{"name": "setups", "value": {"allowed": ["a"]}}]}),
        ("POST", "/api/trading/stop", {**mine, "flatten": False}),
        (
            "POST",
            "/api/trading/close",
            {**mine, "symbol": "BTCUSDT", "amount": "1", "position_side": "BOTH"},
        ),
        (
            "POST",
            "/api/trading/switch",
            {**mine, "on": True, "until": "2030-01-01T00:00:00Z", "caps": {"order": "1"}},
        ),
        ("POST", "/api/alerts", ALERT),
        ("POST", "/api/alerts/preview", ALERT),
        (
            "POST",
            "/api/channels",
            {"kind": "webhook", "name": "a", "target": "https://example.org"},
        ),
        ("POST", "/api/alerts/events/read", {"ids": ["x"]}),
    ]


def spoiled(value: Any) -> Iterator[Any]:
    """The body with each of its values, and the whole of it, replaced by each odd one."""
    yield from ODD
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: odd} for odd in spoiled(inner))
            yield {key: kept for key, kept in value.items() if key != name}
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], odd, *value[at + 1 :]] for odd in spoiled(inner))


def test_no_door_breaks(alices_browser: Client, account: ExchangeAccount) -> None:
    alices_browser.raise_request_exception = False
    broken: list[str] = []
    seen = 0
    for method, path, sent in doors(account):
        for number, odd in enumerate(spoiled(sent)):
            answer = alices_browser.generic(
                method,
                path,
                json.dumps(odd),
                content_type="application/json",
                headers={"Idempotency-Key": f"odd-{number}"},
            )
            seen += 1
            assert answer.status_code != 429
            if answer.status_code >= 500 and answer.status_code != 503:
                broken.append(f"{method} {path} {json.dumps(odd)[:200]}")
    assert seen > 500
    assert broken == []
