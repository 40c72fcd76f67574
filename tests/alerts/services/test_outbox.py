"""The outbox over a real socket: at least once, the same event, signed, with growing pauses."""

import hashlib
import hmac
import json
from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from alerts.models import Alert, AlertEvent, Channel, Delivery
from alerts.services import channels, firing, outbox
from lib.networks import parse_networks
from tests.alerts.conftest import MakeAlert
from tests.alerts.receiver import Received, Receiver, receiving, saying
from tests.lines import each_line, kill

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("keys", "loopback_allowed")]
NO = saying(b"HTTP/1.1 500 No\r\n\r\n")


@pytest.fixture
def receiver() -> Any:
    with receiving() as made:
        yield made


def webhook(user: User, receiver: Receiver, name: str = "mine") -> tuple[Channel, bytes]:
    """A proven one, and the key that it was given."""
    channel, secret = channels.create(
        user=user, body={"kind": "webhook", "name": name, "target": receiver.url()}
    )
    Channel.objects.filter(pk=channel.pk).update(state=Channel.Status.PROVEN)
    channel.refresh_from_db()
    return channel, b64decode(secret)


def due_now() -> None:
    Delivery.objects.update(due_at=timezone.now())


def is_ours(request: Received, secret: bytes) -> bool:
    """As a receiver checks it."""
    time, code = (
        part.split("=", 1)[1] for part in request.headers["x-tapelog-signature"].split(",")
    )
    expected = hmac.new(secret, f"{time}.".encode() + request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(code, expected)


def test_an_event_arrives_signed_and_says_what_it_is(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, secret = webhook(alice, receiver)
    alert = make_alert(channels=[str(channel.pk)])
    event = firing.test(alert, 1_795_000_000_000)
    assert outbox.deliver_due() == 1
    (request,) = receiver.requests
    assert request.line == "POST /hook HTTP/1.1"
    assert request.headers["x-tapelog-attempt"] == "1"
    assert request.headers["content-type"] == "application/json"
    assert is_ours(request, secret)
    assert json.loads(request.body) == {
        "event": {
            "id": str(event.pk),
            "kind": "test",
            "at": 1_795_000_000_000,
            "value": None,
            "alert": {"id": alert.pk, "name": "an alert"},
            "text": "A test of the alert an alert.",
            "url": "http://127.0.0.1:8000/alerts/events/",
        }
    }
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.problem) == ("sent", 1, "")
    assert outbox.deliver_due() == 0


def test_it_is_tried_again_after_two_four_eight_seconds_with_the_same_event(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, _secret = webhook(alice, receiver)
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    receiver.answer = NO
    for attempt in range(1, 5):
        began = timezone.now()
        assert outbox.deliver_due() == 1
        delivery = Delivery.objects.get()
        pause = (delivery.due_at - began).total_seconds()
        assert 2**attempt <= pause < 2**attempt + 5
        assert (delivery.state, delivery.tries) == ("waiting", attempt)
        assert delivery.problem == "answered 500"
        assert outbox.deliver_due() == 0
        due_now()
    assert [item.headers["x-tapelog-attempt"] for item in receiver.requests] == list("1234")
    assert len({item.body for item in receiver.requests}) == 1


def test_after_a_day_it_is_given_up_and_told(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, _secret = webhook(alice, receiver)
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    receiver.answer = NO
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=24), tries=15)
    outbox.deliver_due()
    assert Delivery.objects.get().state == "dead"
    channel.refresh_from_db()
    assert (channel.state, channel.problem) == ("failing", "answered 500")
    dead = AlertEvent.objects.get(kind="dead")
    assert dead.text == "mine could not be reached for a day: an alert was not delivered."
    assert dead.deliveries.count() == 0
    due_now()
    assert outbox.deliver_due() == 0


def test_a_failing_channel_that_answers_again_is_well(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, _secret = webhook(alice, receiver)
    Channel.objects.update(state=Channel.Status.FAILING)
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    outbox.deliver_due()
    channel.refresh_from_db()
    assert channel.state == "proven"


def test_an_attempt_whose_worker_died_is_begun_again_under_the_next_number(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, _secret = webhook(alice, receiver)
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    outbox._claim()
    assert outbox.deliver_due() == 0
    due_now()
    assert outbox.deliver_due() == 1
    assert receiver.requests[0].headers["x-tapelog-attempt"] == "2"


def test_what_an_older_attempt_says_late_changes_nothing(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, _secret = webhook(alice, receiver)
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    (old,) = outbox._claim()
    due_now()
    outbox.deliver_due()
    outbox._settle(old, "answered 500")
    assert Delivery.objects.get().state == "sent"


def test_a_hook_that_is_no_longer_excepted_gets_nothing(
    alice: User, make_alert: MakeAlert, receiver: Receiver, settings: Any
) -> None:
    channel, _secret = webhook(alice, receiver)
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    settings.WEBHOOK_ALLOWED_NETWORKS = parse_networks([])
    outbox.deliver_due()
    assert receiver.connections == 0
    assert "inner address" in Delivery.objects.get().problem


def test_one_dead_receiver_holds_no_other_up(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    with receiving() as other:
        well, _ = webhook(alice, receiver)
        ill, _ = webhook(alice, other, "ill")
    firing.test(make_alert(channels=[str(ill.pk), str(well.pk)]), 1)
    assert outbox.deliver_due() == 2
    assert len(receiver.requests) == 1
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["sent", "waiting"]


def test_a_mail_says_the_sentence(alice: User, make_alert: MakeAlert) -> None:
    channel, _secret = channels.create(
        user=alice, body={"kind": "email", "name": "post", "target": "alice@example.org"}
    )
    Channel.objects.update(state="proven")
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    outbox.deliver_due()
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.org"]
    assert letter.subject == "Tapelog: A test of the alert an alert."
    assert "http://127.0.0.1:8000/alerts/events/" in letter.body


def test_telegram_speaks_to_the_bots_own_address(
    alice: User, make_alert: MakeAlert, receiver: Receiver, settings: Any
) -> None:
    settings.TELEGRAM_API_URL = receiver.url(path="")
    bot = "123456:" + "A" * 35
    channel, _secret = channels.create(
        user=alice, body={"kind": "telegram", "name": "t", "target": f"{bot} 4711"}
    )
    Channel.objects.update(state="proven")
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    outbox.deliver_due()
    (request,) = receiver.requests
    assert request.line == f"POST /bot{bot}/sendMessage HTTP/1.1"
    assert json.loads(request.body)["chat_id"] == "4711"


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_line_every_event_arrives(
    alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, _secret = webhook(alice, receiver)
    alert = make_alert(channels=[str(channel.pk)])
    number = 0

    def fire_and_deliver() -> None:
        firing.tell(alert.pk, f"n{number}", firing.Told(1, "", {"name": "x", **WORDS}))
        due_now()
        outbox.deliver_due()

    for _line in each_line("alerts/services", kill, fire_and_deliver):
        fire_and_deliver()
        event = AlertEvent.objects.get(crossing=f"n{number}")
        arrived = [json.loads(item.body)["event"]["id"] for item in receiver.requests]
        assert str(event.pk) in arrived
        assert set(arrived) == {str(event.pk)}
        assert event.deliveries.get().state == "sent"
        receiver.requests.clear()
        number += 1


WORDS = {"market": "spot", "symbol": "BTCUSDT", "level": "1", "value": "1"}


# --- channels -----------------------------------------------------------------------------------


def test_a_webhook_is_proven_by_taking_a_signed_message(
    alices_browser: Client, receiver: Receiver
) -> None:
    body = {"kind": "webhook", "name": "mine", "target": receiver.url()}
    made = alices_browser.post("/api/channels", body, "application/json")
    assert made.status_code == 201
    answer = made.json()
    assert (answer["kind"], answer["name"], answer["state"]) == ("webhook", "mine", "unproven")
    secret = b64decode(answer["secret"], validate=True)
    assert len(secret) == 32
    receiver.answer = NO
    path = f"/api/channels/{answer['id']}"
    refused = alices_browser.post(f"{path}/prove")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_proven")
    receiver.answer = Receiver(0).answer
    proven = alices_browser.post(f"{path}/prove")
    assert (proven.status_code, proven.json()["state"]) == (200, "proven")
    assert is_ours(receiver.requests[-1], secret)
    assert "secret" not in alices_browser.get(path).json()
    assert receiver.url() not in alices_browser.get("/api/channels").content.decode()


def test_a_mail_address_is_proven_by_the_code_that_was_sent(alices_browser: Client) -> None:
    body = {"kind": "email", "name": "post", "target": "alice@example.org"}
    answer = alices_browser.post("/api/channels", body, "application/json").json()
    path = f"/api/channels/{answer['id']}/prove"
    assert alices_browser.post(path).json()["state"] == "unproven"
    code = "".join(filter(str.isdigit, mail.outbox[0].subject))
    wrong = alices_browser.post(path, {"code": "1"}, "application/json")
    assert wrong.status_code == 409
    right = alices_browser.post(path, {"code": code}, "application/json")
    assert right.json()["state"] == "proven"


def test_a_code_is_guessed_five_times_at_most(alice: User) -> None:
    channel, _ = channels.create(
        user=alice, body={"kind": "email", "name": "post", "target": "alice@example.org"}
    )
    channels.prove(channel=channel)
    code = "".join(filter(str.isdigit, mail.outbox[0].subject))
    for _guess in range(5):
        with pytest.raises(channels.NotProven, match="not the code"):
            channels.prove(channel=channel, code="0")
    with pytest.raises(channels.NotProven, match="too often"):
        channels.prove(channel=channel, code=code)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("webhook", "http://hook.example.org/"),
        ("webhook", "https://10.0.0.1/"),
        ("webhook", "https://user:word@hook.example.org/"),
        ("webhook", "https://[::1]/"),
        ("webhook", "https://2130706433/"),
        ("webhook", ""),
        ("webhook", None),
        ("webhook", {"a": 1}),
        ("email", "nobody"),
        ("email", "a@b.org\nBcc: c@d.org"),
        ("telegram", "4711"),
        ("telegram", "bot 4711"),
        ("webpush", "{}"),
        ("webpush", "[" * 3000),
        ("webpush", {"endpoint": "https://10.0.0.1/", "keys": {"p256dh": "a", "auth": "b"}}),
        ("apprise", "json://127.0.0.1/"),
        ("moon", "https://hook.example.org/"),
    ],
)
def test_a_bad_target_is_refused_at_once(
    alices_browser: Client, settings: Any, kind: str, target: Any
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = parse_networks([])
    body = {"kind": kind, "name": "x", "target": target}
    answer = alices_browser.post("/api/channels", body, "application/json")
    assert answer.status_code == 400
    assert set(answer.json()) <= {"target", "kind"}
    assert not Channel.objects.exists()


def test_what_is_sealed_lies_nowhere_in_plain(alice: User, receiver: Receiver) -> None:
    channel, secret = webhook(alice, receiver)
    for sealed in channel.sealed().values():
        assert secret not in sealed
        assert b"hook" not in sealed


def test_a_removed_channel_takes_its_deliveries_along(
    alices_browser: Client, alice: User, make_alert: MakeAlert, receiver: Receiver
) -> None:
    channel, _ = webhook(alice, receiver)
    firing.test(make_alert(channels=[str(channel.pk)]), 1)
    assert alices_browser.delete(f"/api/channels/{channel.pk}").status_code == 204
    assert outbox.deliver_due() == 0
    assert Alert.objects.count() == 1
