"""What is sent, once, and what becomes of answers that never come."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from market.binance import ordering, signing
from market.hot import store
from tests.accounts.exchange import AccountExchange
from tests.lines import Killed, each_line, kill
from tests.trading.stage import truth
from tests.trading.test_orders_api import body, post
from trading.models import OrderIntent
from trading.services import placing, resolving, sending, stopping
from trading.services.desk import desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter windows, so that a test need not wait for the real ones: the rules are the same."""
    monkeypatch.setattr(signing, "TIMEOUT_SECONDS", 2.0)
    monkeypatch.setattr(signing, "RECV_WINDOW_MS", 1500)
    monkeypatch.setattr(ordering, "RECV_WINDOW_MS", 1500)
    monkeypatch.setattr(resolving, "SENDER_GONE", timedelta(seconds=1))
    monkeypatch.setattr(resolving, "TAKEN_OVER", timedelta(seconds=0))


def resolve_until_known(seconds: float = 60.0) -> None:
    ended = threading.Event()
    deadline = timezone.now() + timedelta(seconds=seconds)
    while OrderIntent.objects.filter(state__in=["written", "sent", "unknown"]).exists():
        assert timezone.now() < deadline, OrderIntent.objects.values_list("state", "history")
        resolving.resolve_once()
        ended.wait(0.2)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["status", "cut", "hang"])
def test_an_order_without_an_answer_is_looked_up_and_never_sent_again(
    alices_browser: Client,
    account: ExchangeAccount,
    stage: AccountExchange,
    quick: None,
    what: str,
    when: str,
) -> None:
    stage.post("/simulator/faults/order", what=what, when=when, times=1, seconds=60)
    answer = post(alices_browser, body(account))
    assert (answer.status_code, answer.json()["state"]) == (202, "unknown")
    again = post(alices_browser, body(account))
    assert again.status_code == 202, "asked again it is not sent again"
    resolve_until_known()
    intent = OrderIntent.objects.get()
    is_there = intent.client_id in truth(account, stage)
    assert is_there == (when == "after")
    assert (intent.state, intent.code) == (
        ("accepted", "") if is_there else ("refused", "never_arrived")
    )
    assert post(alices_browser, body(account)).status_code == (201 if is_there else 409)


def test_an_order_that_cannot_be_found_at_first_is_not_given_up(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange, quick: None
) -> None:
    stage.post("/simulator/faults/order_hidden", ms=3000, seconds=5)
    stage.post("/simulator/faults/order", what="cut", when="after", times=1, seconds=60)
    assert post(alices_browser, body(account)).json()["state"] == "unknown"
    resolve_until_known()
    assert OrderIntent.objects.get().state == "accepted"


def written(account: ExchangeAccount, **more: Any) -> OrderIntent:
    """An intent whose sender died before it claimed it."""
    before = sending.claim
    try:
        sending.claim = lambda *args: False
        done = placing.place(
            user=account.user,
            key=f"w{OrderIntent.objects.count()}",
            body=body(account, **more),
            by="test",
        )
    finally:
        sending.claim = before
    assert done.status == 202
    return OrderIntent.objects.get(pk=done.body["id"])


def test_what_was_not_sent_within_ten_seconds_is_never_sent(
    account: ExchangeAccount, stage: AccountExchange
) -> None:
    intent = written(account)
    OrderIntent.objects.update(made_at=timezone.now() - timedelta(seconds=11))
    assert sending.send(intent.pk, "late").state == "expired"
    resolving.resolve_once()
    intent.refresh_from_db()
    assert (intent.state, intent.code) == ("expired", "too_late")
    assert truth(account, stage) == {}


def test_what_was_made_before_the_database_was_restored_is_never_sent(
    account: ExchangeAccount, stage: AccountExchange
) -> None:
    intent = written(account)
    OrderIntent.objects.update(life="another cluster")
    assert sending.send(intent.pk, "worker").code == "restored"
    assert truth(account, stage) == {}


def test_a_restored_table_is_another_life(account: ExchangeAccount) -> None:
    """As pg_restore does it: the table is made anew and filled with the rows."""
    intent = written(account)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE restored (LIKE trading_orderintent INCLUDING ALL)")
        cursor.execute("INSERT INTO restored SELECT * FROM trading_orderintent")
        cursor.execute("ALTER TABLE trading_orderintent RENAME TO before_it")
        cursor.execute("ALTER TABLE restored RENAME TO trading_orderintent")
    try:
        assert sending.send(intent.pk, "worker").code == "restored"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE trading_orderintent")
            cursor.execute("ALTER TABLE before_it RENAME TO trading_orderintent")


def test_many_senders_of_one_intent_send_it_once(
    account: ExchangeAccount, stage: AccountExchange
) -> None:
    intent = written(account)

    def work() -> None:
        try:
            sending.send(intent.pk, "worker")
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    intent.refresh_from_db()
    assert intent.state == "accepted"
    assert [line["state"] for line in intent.history].count("sent") == 1
    assert len(truth(account, stage)) == 1


def test_a_worker_sends_what_a_dead_request_left(
    account: ExchangeAccount, stage: AccountExchange, quick: None
) -> None:
    intent = written(account)
    resolving.resolve_once()
    intent.refresh_from_db()
    assert intent.state == "accepted"


def test_killed_at_any_line_it_is_there_once_or_not_at_all(
    account: ExchangeAccount, stage: AccountExchange, quick: None
) -> None:
    number = 0

    def work() -> None:
        nonlocal number
        number += 1
        placing.place(user=account.user, key=f"l{number}", body=body(account), by="test")

    for line in each_line("trading/services/sending", kill, work):
        if line > 400:  # pragma: no cover
            raise Killed
    resolve_until_known()
    orders = truth(account, stage)
    assert number > 10
    for intent in OrderIntent.objects.all():
        assert (intent.client_id in orders) == (intent.state == "accepted"), intent.history
    assert len(orders) == OrderIntent.objects.filter(state="accepted").count()


def test_a_stop_between_writing_and_sending_wins(
    account: ExchangeAccount, stage: AccountExchange
) -> None:
    intent = written(account)
    stopping.stop(account=account, actor=account.user, why="owner", flatten=False)
    intent.refresh_from_db()
    assert (intent.state, intent.code) == ("expired", "trading_off")
    assert truth(account, stage) == {}


def test_an_order_that_arrives_after_the_stop_is_taken_out(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange, quick: None
) -> None:
    stage.post("/simulator/faults/order", what="cut", when="after", times=1, seconds=60)
    stage.post("/simulator/faults/order_hidden", ms=1500, seconds=2)
    told = post(alices_browser, body(account)).json()
    stopping.stop(account=account, actor=account.user, why="owner", flatten=False)
    resolve_until_known()
    stopping.late_arrivals()
    assert truth(account, stage)[told["client_id"]]["status"] == "CANCELED"


def test_a_cancel_goes_out_when_redis_is_away(
    alices_browser: Client,
    account: ExchangeAccount,
    stage: AccountExchange,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = post(alices_browser, body(account)).json()
    desk.close()
    connect = store.connect
    monkeypatch.setattr(
        store, "connect", lambda url, timeout=1.0: connect("redis://127.0.0.1:1/0", 0.2)
    )
    done = alices_browser.delete(f"/api/orders/{told['id']}")
    assert (done.status_code, done.json()["result"]) == (200, "cancelled"), done.json()
    away = post(alices_browser, body(account), "k2")
    assert (away.status_code, away["Retry-After"]) == (503, "1")
    assert truth(account, stage)[told["client_id"]]["status"] == "CANCELED"


def test_a_cancelled_task_counts_as_unknown(
    account: ExchangeAccount, stage: AccountExchange, quick: None, alice: User
) -> None:
    stage.post("/simulator/faults/order", what="hang", when="after", times=1, seconds=60)
    answers: list[Any] = []

    def work() -> None:
        try:
            done = placing.place(user=alice, key="c", body=body(account), by="test")
            answers.append(done.body["state"])
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    while not OrderIntent.objects.filter(state="sent").exists():
        threading.Event().wait(0.05)
    threading.Event().wait(0.3)
    desk.cancel_all()
    worker.join(60)
    assert answers == ["unknown"]
    resolve_until_known()
    assert OrderIntent.objects.get().state == "accepted"
