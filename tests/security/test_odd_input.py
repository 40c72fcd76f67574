"""Input that no store holds: 400 with a sentence at every door, by one mechanism."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from journal.models import Trade
from lib.odd_input import DEEPEST, problem_of
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, some_trades
from tests.signing_in import sign_in

JSON = "application/json"
DEEP = "[" * 20_000 + "]" * 20_000


@pytest.fixture
def browser(alice: User) -> Client:
    return sign_in(Client(raise_request_exception=False), alice)


@pytest.fixture
def trade(alice: User, make_instrument: MakeInstrument) -> Trade:
    make_instrument("BTCUSDT")
    some_trades(make_account(alice, "main"))
    found = Trade.objects.first()
    assert found is not None
    return found


@pytest.mark.parametrize(
    "path", ["/market/A%00B/", "/market/usdm/%00/", "/trades/?symbol=%00", "/api/fills?symbol=%00"]
)
def test_a_nul_in_an_address_is_a_sentence(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 400
    assert b"NUL" in answer.content


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (DEEP, "levels of nesting"),
        ('{"note": ' + "[" * 40 + "]" * 40 + "}", "levels of nesting"),
        ('{"note": "a\\u0000b"}', "NUL"),
        ('{"note": "\\ud800"}', "surrogate"),
        ('{"\\u0000": 1}', "NUL"),
        ('{"rating": ' + "9" * 200 + "}", "digits"),
        ("{", "JSON"),
        ('"\xff"', ""),
    ],
)
def test_odd_json_is_a_sentence(browser: Client, trade: Trade, body: str, sentence: str) -> None:
    answer = browser.patch(f"/api/trades/{trade.pk}", body, content_type=JSON)
    assert answer.status_code == 400, answer.content
    assert sentence in json.dumps(answer.json(), ensure_ascii=False)


@pytest.mark.parametrize("value", ["1e17", "9" * 40, "1e400", "NaN", "Infinity", "-1e-400"])
def test_a_number_wider_than_its_column_is_no_error_of_ours(
    browser: Client, trade: Trade, value: str
) -> None:
    for name in ("planned_stop", "planned_target", "rating"):
        answer = browser.patch(f"/api/trades/{trade.pk}", {name: value}, content_type=JSON)
        assert answer.status_code < 500, f"{name}={value}"


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "ß" * 5000, "9" * 5000, "‮" * 300])
def test_odd_text_in_forms_is_no_error_of_ours(browser: Client, trade: Trade, text: str) -> None:
    for path, form in (
        (f"/trades/{trade.pk}/note/", {"note": text, "setup": text, "tags": text}),
        (f"/account/exchange/{trade.account_id}/change/", {"do": "rename", "label": text}),
        (
            f"/account/exchange/{trade.account_id}/manual/",
            {"symbol": text, "market": "spot", "side": "BUY", "price": text, "quantity": text},
        ),
        ("/calendar/2026-03-02/", {"note": text}),
        ("/account/security/networks/", {"networks": text}),
    ):
        body = "&".join(f"{name}={_quoted(value)}" for name, value in form.items())
        answer = browser.post(path, body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code < 500, path


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_what_postgresql_can_hold_is_let_through_and_nothing_else(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    is_plain = "\\u0000" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
    if is_plain and len(text) < 50:
        assert problem_of(value) is None
    if not is_plain:
        assert problem_of(value) is not None


def test_the_depth_is_counted() -> None:
    nested: list[Any] = []
    for _ in range(DEEPEST - 1):
        nested = [nested]
    assert problem_of(nested) is None
    assert problem_of([nested]) is not None
