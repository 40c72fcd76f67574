"""Placing, looking, changing and taking out, through the door and to the exchange."""

import threading
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import ExchangeAccount, User
from market.binance import order_budget
from tests.accounts.exchange import AccountExchange
from tests.trading.stage import truth
from trading.models import Idempotency, OrderIntent
from trading.services import switching

pytestmark = pytest.mark.django_db(transaction=True)


def body(account: ExchangeAccount, **more: Any) -> dict[str, Any]:
    """A spot purchase far below the price: it rests."""
    return {
        "account": str(account.pk),
        "market": "spot",
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "price": "50000",
        "quantity": "0.001",
        **more,
    }


def post(browser: Client, sent: dict[str, Any], key: str | None = "k1") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return browser.post("/api/orders", sent, content_type="application/json", headers=headers)


def test_an_order_is_accepted_and_is_at_the_exchange(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    answer = post(alices_browser, body(account))
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    assert (told["state"], told["order"]["status"], told["legs"]) == ("accepted", "NEW", [])
    assert truth(account, stage)[told["client_id"]]["status"] == "NEW"
    row = alices_browser.get(f"/api/orders/intents/{told['id']}").json()
    assert [line["state"] for line in row["history"]] == ["written", "sent", "accepted"]
    assert row["body"] == body(account)
    rows = alices_browser.get("/api/orders/intents?limit=1").json()
    assert [item["id"] for item in rows["rows"]] == [told["id"]]


def test_the_same_key_and_body_give_the_same_order(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    first, again = post(alices_browser, body(account)), post(alices_browser, body(account))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert len(truth(account, stage)) == 1


def test_the_same_key_at_the_same_moment_places_one_order(
    alice: User, account: ExchangeAccount, stage: AccountExchange
) -> None:
    answers: list[Any] = []

    def click() -> None:
        browser = Client()
        browser.force_login(alice)
        try:
            answers.append(post(browser, body(account)))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(6)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join(60)
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(truth(account, stage)) == 1


def test_the_same_key_for_another_body_is_refused(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    post(alices_browser, body(account))
    answer = post(alices_browser, body(account, quantity="0.002"))
    assert (answer.status_code, answer.json()["code"]) == (422, "other_body")
    assert len(truth(account, stage)) == 1


@pytest.mark.parametrize("key", [None, "", "a b", "ä", "x" * 65])
def test_a_missing_or_odd_key_is_told(
    alices_browser: Client, account: ExchangeAccount, key: str | None
) -> None:
    answer = post(alices_browser, body(account), key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key")
    assert OrderIntent.objects.count() == 0


def test_keys_belong_to_their_user(
    alices_browser: Client, bob: User, account: ExchangeAccount, stage: AccountExchange
) -> None:
    post(alices_browser, body(account))
    other = Client()
    other.force_login(bob)
    answer = post(other, body(account))
    assert (answer.status_code, answer.json()["code"]) == (404, "account")


@pytest.mark.parametrize(
    ("changes", "name", "nearest"),
    [
        ({"price": "50000.001"}, "PRICE_FILTER", "50000"),
        ({"quantity": "0.0010001"}, "LOT_SIZE", "0.001"),
        ({"quantity": "0.00009"}, "NOTIONAL", "0.0001"),
    ],
)
def test_a_filter_is_named_with_the_nearest_valid_value(
    alices_browser: Client,
    account: ExchangeAccount,
    changes: dict[str, str],
    name: str,
    nearest: str,
) -> None:
    answer = post(alices_browser, body(account, **changes))
    told = answer.json()
    assert (answer.status_code, told["filter"], told["nearest"]) == (400, name, nearest)
    assert name in told["detail"]
    assert not Idempotency.objects.exists(), "the key is unused"


def test_what_the_exchange_refuses_is_409_with_its_code(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    answer = post(alices_browser, body(account, quantity="30"))
    told = answer.json()
    assert (answer.status_code, told["state"], told["code"]) == (409, "refused", "-2010")
    assert "insufficient balance" in told["detail"]
    assert post(alices_browser, body(account, quantity="30")).status_code == 409


def test_off_means_off(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    switching.switch_off(account=account, actor=None, why="test")
    answer = post(alices_browser, body(account))
    assert (answer.status_code, answer.json()["code"]) == (403, "trading_off")
    assert truth(account, stage) == {}


@pytest.mark.parametrize(
    ("caps", "changes", "code"),
    [
        ({"order": "40"}, {}, "cap_order"),
        ({"risk": "1"}, {"risk": {"stop": "48000"}}, "cap_risk"),
        ({"symbols": ["ETHUSDT"]}, {}, "symbol_not_allowed"),
        ({"distance": "5"}, {}, "price_far"),
        ({"orders": 0}, {}, "cap_orders"),
    ],
)
def test_each_cap_has_its_code(
    alices_browser: Client,
    account: ExchangeAccount,
    stage: AccountExchange,
    caps: dict[str, Any],
    changes: dict[str, Any],
    code: str,
) -> None:
    switching.change_caps(switch=account.trading_switch, actor=account.user, caps=caps)
    answer = post(alices_browser, body(account, **changes))
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert truth(account, stage) == {}


def test_no_order_budget_is_429_and_leaves_the_key_unused(
    alices_browser: Client, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    # windows of a day, so that none ends meanwhile
    monkeypatch.setitem(order_budget.WINDOWS, "spot", ((86_400, "1D", 2),))
    statuses = [
        post(alices_browser, body(account), f"n{number}").status_code for number in range(2)
    ]
    answer = post(alices_browser, body(account), "full")
    assert (statuses, answer.status_code) == ([201, 201], 429)
    assert int(answer["Retry-After"]) >= 1
    assert not Idempotency.objects.filter(key="full").exists()
    assert OrderIntent.objects.count() == 2


def test_a_cancelled_order_is_gone_and_a_second_cancel_says_so(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = post(alices_browser, body(account)).json()
    first = alices_browser.delete(f"/api/orders/{told['id']}")
    assert (first.status_code, first.json()["result"]) == (200, "cancelled")
    again = alices_browser.delete(f"/api/orders/{told['id']}")
    assert (again.status_code, again.json()["result"]) == (200, "already_gone")
    assert truth(account, stage)[told["client_id"]]["status"] == "CANCELED"


def test_a_smaller_quantity_is_amended_and_another_price_replaces(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = post(alices_browser, body(account)).json()
    path = f"/api/orders/{told['id']}"
    smaller = alices_browser.patch(path, {"quantity": "0.0005"}, content_type="application/json")
    assert (smaller.status_code, smaller.json()["result"]) == (200, "amended"), smaller.json()
    assert truth(account, stage)[told["client_id"]]["quantity"] == "0.00050000"
    moved = alices_browser.patch(path, {"price": "51000"}, content_type="application/json")
    assert (moved.status_code, moved.json()["result"]) == (200, "replaced"), moved.json()
    orders = truth(account, stage)
    assert orders[told["client_id"]]["status"] == "CANCELED"
    new = orders[moved.json()["order"]["client_id"]]
    assert (new["status"], new["quantity"]) == ("NEW", "0.00050000")
    gone = alices_browser.delete(path)
    assert gone.json()["result"] == "cancelled"
    assert truth(account, stage)[new["client_id"]]["status"] == "CANCELED"


def test_a_change_under_a_key_is_done_once(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = post(alices_browser, body(account)).json()

    def ask(price: str) -> Any:
        return alices_browser.patch(
            f"/api/orders/{told['id']}",
            {"price": price},
            content_type="application/json",
            headers={"Idempotency-Key": "p1"},
        )

    first, again, other = ask("51000"), ask("51000"), ask("52000")
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert first.json() == again.json()
    assert len(truth(account, stage)) == 2


def test_a_replacement_that_the_exchange_refuses_says_which_half_was_done(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = post(alices_browser, body(account)).json()
    answer = alices_browser.patch(
        f"/api/orders/{told['id']}", {"quantity": "150"}, content_type="application/json"
    )
    assert answer.status_code == 409, answer.json()
    assert answer.json()["code"] == "half_done"
    assert (answer.json()["cancelled"], answer.json()["placed"]) == (True, False)
    assert truth(account, stage)[told["client_id"]]["status"] == "CANCELED"


def test_orders_placed_elsewhere_are_changed_and_cancelled_by_number(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = post(alices_browser, body(account)).json()
    asked = f"account={account.pk}&market=spot&symbol=BTCUSDT&order_id={told['order']['order_id']}"
    path = f"/api/orders/exchange?{asked}"
    smaller = alices_browser.patch(path, {"quantity": "0.0005"}, content_type="application/json")
    assert (smaller.status_code, smaller.json()["result"]) == (200, "amended")
    assert alices_browser.delete(path).json()["result"] == "cancelled"
    assert alices_browser.delete(path).json()["result"] == "already_gone"


def test_all_orders_of_a_symbol_go(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    for number in range(3):
        post(alices_browser, body(account), f"n{number}")
    done = alices_browser.delete(f"/api/orders?account={account.pk}&market=spot&symbol=BTCUSDT")
    assert (done.status_code, len(done.json()["cancelled"])) == (200, 3)
    assert {row["status"] for row in truth(account, stage).values()} == {"CANCELED"}


def test_a_spot_entry_brings_its_stop_and_target(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    sent = body(account, quantity=None, risk={"stop": "49000", "money": "25"}, targets=["53000"])
    answer = post(alices_browser, sent)
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    # 25 over a distance of 1000
    assert D(told["order"]["quantity"]) == D("0.025")
    orders = truth(account, stage)
    assert len(orders) == 3
    pending = [row for name, row in orders.items() if name != told["client_id"]]
    assert {row["status"] for row in pending} == {"PENDING_NEW"}


def test_a_spot_market_entry_is_protected_by_what_came_in(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    sent = body(account, type="MARKET", price=None, risk={"stop": "50000"}, targets=["200000"])
    answer = post(alices_browser, sent)
    assert answer.status_code == 201, answer.json()
    (leg,) = answer.json()["legs"]
    assert (leg["role"], leg["state"]) == ("stop", "accepted"), leg
    orders = truth(account, stage)
    exits = [row for name, row in orders.items() if name != answer.json()["client_id"]]
    # 0.001 less the fee of a thousandth, down to the step of 0.00001
    assert {D(row["quantity"]) for row in exits} == {D("0.00099")}


def test_a_futures_entry_is_followed_by_its_stop_and_targets(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    sent = body(
        account,
        market="usdm",
        type="MARKET",
        price=None,
        quantity="0.01",
        risk={"stop": "90000"},
        targets=["99000", "105000"],
    )
    answer = post(alices_browser, sent)
    assert answer.status_code == 201, answer.json()
    legs = answer.json()["legs"]
    assert [leg["role"] for leg in legs] == ["stop", "target", "target"]
    assert {leg["state"] for leg in legs} == {"accepted"}, legs
    kinds = sorted(row["type"] for row in truth(account, stage).values())
    assert kinds == ["MARKET", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TAKE_PROFIT_MARKET"]


def test_the_brake_takes_orders_and_positions_out(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    post(alices_browser, body(account), "a")
    post(
        alices_browser,
        body(
            account,
            market="usdm",
            type="MARKET",
            price=None,
            quantity="0.01",
            risk={"stop": "90000"},
        ),
        "b",
    )
    sent = {"account": "all", "flatten": True}
    done = alices_browser.post("/api/trading/stop", sent, content_type="application/json")
    assert done.status_code == 200
    told = done.json()
    assert (len(told["cancelled"]), told["failed"]) == (2, []), told
    (exit_order,) = told["flattened"]
    assert exit_order["state"] == "accepted"
    held = stage.ask("GET", f"/simulator/accounts/{account.binance_uid}/truth")
    assert held["positions"] == {}
    assert post(alices_browser, body(account), "c").json()["code"] == "trading_off"
