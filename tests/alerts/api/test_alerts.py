"""`/api/alerts` through the door."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.services.tokens import issue_token
from alerts.models import Alert, AlertEvent, Channel
from alerts.services import channels, firing
from journal.models import Setup
from market.models import Instrument
from tests.alerts.conftest import MakeAlert
from tests.alerts.tape import START
from tests.journal.accounts import make_account
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
CROSSES = {"kind": "price_crosses", "market": "spot", "symbol": "BTCUSDT", "level": "60000"}
BODY: dict[str, Any] = {"name": "up there", "condition": CROSSES}
JSON = "application/json"


def test_an_alert_is_made_read_changed_and_removed(
    alices_browser: Client, instrument: Instrument
) -> None:
    made = alices_browser.post("/api/alerts", BODY, JSON)
    assert made.status_code == 201
    answer = made.json()
    assert answer["condition"] == {**CROSSES, "direction": "both"}
    assert (answer["cooldown_s"], answer["once"], answer["paused"]) == (300, False, False)
    assert (answer["state"], answer["channels"], answer["last_fired"]) == ("armed", [], None)
    path = f"/api/alerts/{answer['id']}"
    assert alices_browser.get(path).json() == answer
    assert alices_browser.get("/api/alerts").json() == {"rows": [answer], "next": None}
    changed = alices_browser.patch(path, {"paused": True, "cooldown_s": 60}, JSON).json()
    assert (changed["paused"], changed["cooldown_s"], changed["state"]) == (True, 60, "paused")
    assert alices_browser.delete(path).status_code == 204
    assert alices_browser.get(path).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"condition": {**CROSSES, "level": "moon"}}, "condition.level"),
        ({"condition": {**CROSSES, "symbol": "NOSUCHUSDT"}}, "condition.symbol"),
        ({"condition": {"kind": "moon"}}, "condition.kind"),
        ({"condition": {"kind": "system"}}, "condition.kind"),
        ({"condition": {"kind": "fill", "account": str(uuid.uuid4())}}, "condition.account"),
        (
            {"condition": {"kind": "setup", "market": "spot", "symbol": "BTCUSDT", "setup": 1}},
            "condition.setup",
        ),
        (
            {
                "condition": {
                    "kind": "cvd_delta",
                    "market": "spot",
                    "symbol": "BTCUSDT",
                    "window_s": 60,
                    "above": 1,
                    "band": ">=10",
                }
            },
            "condition.band",
        ),
        (
            {
                "condition": {
                    "kind": "taker_order",
                    "market": "spot",
                    "symbol": "BTCUSDT",
                    "value": "100",
                }
            },
            "condition.value",
        ),
        ({"channels": "all"}, "channels"),
        ({"channels": [str(uuid.uuid4())]}, "channels"),
        ({"channels": [7]}, "channels"),
        ({"cooldown_s": -1}, "cooldown_s"),
        ({"cooldown_s": "300"}, "cooldown_s"),
        ({"once": "yes"}, "once"),
        ({"moon": 1}, "moon"),
    ],
)
def test_a_bad_body_is_refused_with_its_field_and_nothing_is_made(
    alices_browser: Client, instrument: Instrument, change: dict[str, Any], field: str
) -> None:
    answer = alices_browser.post("/api/alerts", {**BODY, **change}, JSON)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not Alert.objects.exists()


@pytest.mark.parametrize("body", ["[]", '"x"', "7", "null", "{"])
def test_what_is_no_object_is_refused(alices_browser: Client, body: str) -> None:
    assert alices_browser.post("/api/alerts", body, JSON).status_code == 400


def test_nobody_touches_anothers_alert(make_alert: MakeAlert, charlie: User) -> None:
    alert = make_alert()
    stranger = sign_in(Client(), charlie)
    for method, body in (("get", None), ("patch", {"paused": True}), ("delete", None)):
        call = getattr(stranger, method)
        answer = (
            call(f"/api/alerts/{alert.pk}", body, JSON) if body else call(f"/api/alerts/{alert.pk}")
        )
        assert answer.status_code == 404
    assert stranger.post(f"/api/alerts/{alert.pk}/test").status_code == 404
    assert stranger.get("/api/alerts").json()["rows"] == []
    assert Client().get("/api/alerts").status_code == 401


def test_a_token_needs_the_scope(alice: User, instrument: Instrument) -> None:
    def with_scopes(*scopes: str) -> Client:
        token = issue_token(user=alice, scopes=list(scopes))
        return Client(headers={"Authorization": f"Token {token}"})

    refused = with_scopes("read").post("/api/alerts", BODY, JSON)
    assert (refused.status_code, refused.json()["scope"]) == (403, "alerts")
    assert with_scopes("read").get("/api/alerts").status_code == 200
    assert with_scopes("read", "alerts").post("/api/alerts", BODY, JSON).status_code == 201


def test_there_is_an_end_to_how_many_a_user_may_have(
    alices_browser: Client, instrument: Instrument, settings: Any
) -> None:
    settings.ALERTS_PER_USER = 1
    assert alices_browser.post("/api/alerts", BODY, JSON).status_code == 201
    refused = alices_browser.post("/api/alerts", BODY, JSON)
    assert refused.json() == {"name": ["Expected at most 1 alerts."]}


def test_own_accounts_and_setups_may_be_named(alices_browser: Client, alice: User) -> None:
    account = make_account(alice)
    body = {"name": "fills", "condition": {"kind": "fill", "account": str(account.pk)}}
    assert alices_browser.post("/api/alerts", body, JSON).json()["cooldown_s"] == 0


def test_a_setup_with_a_flow_condition_is_an_alert(
    alices_browser: Client, alice: User, instrument: Instrument
) -> None:
    setup = Setup.objects.create(
        user=alice, name="push", conditions={"direction": "LONG", "least_share": "0.4"}
    )
    condition = {"kind": "setup", "market": "spot", "symbol": "BTCUSDT", "setup": setup.pk}
    answer = alices_browser.post("/api/alerts", {"name": "push", "condition": condition}, JSON)
    assert answer.status_code == 201


def test_another_condition_begins_now(alices_browser: Client, make_alert: MakeAlert) -> None:
    alert = make_alert()
    Alert.objects.filter(pk=alert.pk).update(state={"armed": False, "fired_ms": 5})
    before = Alert.objects.get(pk=alert.pk)
    alices_browser.patch(f"/api/alerts/{alert.pk}", {"name": "the same"}, JSON)
    same = Alert.objects.get(pk=alert.pk)
    assert (same.state, same.since) == (before.state, before.since)
    alices_browser.patch(f"/api/alerts/{alert.pk}", {"condition": CROSSES}, JSON)
    other = Alert.objects.get(pk=alert.pk)
    assert other.state == {}
    assert other.since > before.since
    assert other.version > same.version > before.version


def test_a_test_is_an_event_that_says_so_and_leaves_the_alert_as_it_is(
    alices_browser: Client, make_alert: MakeAlert, keys: None, loopback_allowed: None
) -> None:
    channel, _secret = channels.create(
        user=User.objects.get(username="alice"),
        body={"kind": "webhook", "name": "w", "target": "http://127.0.0.1:9/"},
    )
    alert = make_alert(channels=[str(channel.pk)])
    answer = alices_browser.post(f"/api/alerts/{alert.pk}/test")
    assert answer.status_code == 201
    event = answer.json()
    assert (event["kind"], event["alert"]) == ("test", alert.pk)
    assert event["text"] == "A test of the alert an alert."
    assert [row["state"] for row in event["deliveries"]] == ["unproven"]
    Channel.objects.update(state="proven")
    again = alices_browser.post(f"/api/alerts/{alert.pk}/test").json()
    assert [row["state"] for row in again["deliveries"]] == ["waiting"]
    assert Alert.objects.get(pk=alert.pk).firings == 0


def test_events_come_newest_first_by_pages_and_are_read(
    alices_browser: Client, make_alert: MakeAlert, charlie: User
) -> None:
    alert = make_alert()
    for number in range(5):
        words = firing.Told(START * 1000 + number, str(number), {"name": "x"})
        with_kind = {"market": "spot", "symbol": "B", "level": "1", "value": str(number)}
        firing.tell(alert.pk, f"n{number}", firing.Told(words.at_ms, words.value, with_kind))
    first = alices_browser.get("/api/alerts/events?limit=3").json()
    assert [row["value"] for row in first["rows"]] == ["4", "3", "2"]
    assert first["unread"] == 5
    second = alices_browser.get(f"/api/alerts/events?limit=3&cursor={first['next']}").json()
    assert [row["value"] for row in second["rows"]] == ["1", "0"]
    assert second["next"] is None
    row = first["rows"][0]
    assert (row["alert"], row["kind"], row["at"]) == (alert.pk, "price_crosses", START * 1000 + 4)
    assert (row["read"], row["deliveries"]) == (False, [])
    read = alices_browser.post("/api/alerts/events/read", {"ids": [row["id"]]}, JSON)
    assert read.json() == {"unread": 4}
    assert alices_browser.post("/api/alerts/events/read", {}, JSON).json() == {"unread": 0}
    stranger = sign_in(Client(), charlie)
    assert stranger.get("/api/alerts/events").json() == {"rows": [], "next": None, "unread": 0}
    assert stranger.get(f"/api/alerts/events?cursor={row['id']}").status_code == 400


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=x", "alert=x"])
def test_a_bad_page_is_refused(alices_browser: Client, query: str) -> None:
    assert alices_browser.get(f"/api/alerts/events?{query}").status_code == 400


@pytest.mark.parametrize("body", [{"ids": "x"}, {"ids": ["x"]}, {"ids": [7]}])
def test_bad_ids_are_refused(alices_browser: Client, body: dict[str, Any]) -> None:
    assert alices_browser.post("/api/alerts/events/read", body, JSON).status_code == 400


def test_events_outlive_their_alert(alices_browser: Client, make_alert: MakeAlert) -> None:
    alert = make_alert()
    alices_browser.post(f"/api/alerts/{alert.pk}/test")
    alices_browser.delete(f"/api/alerts/{alert.pk}")
    (row,) = alices_browser.get("/api/alerts/events").json()["rows"]
    assert (row["alert"], row["name"]) == (None, "an alert")
    assert AlertEvent.objects.count() == 1
