"""Who hears their own topic, and that nobody else's positions are valued."""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from accounts.models import User
from journal import live
from journal.models import OpenPosition
from journal.services import valuing
from market.hot import keys
from market.live.private import private_topic
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.waiting import until

pytestmark = pytest.mark.django_db


def channel(user: User, topic: str = "pnl") -> str:
    return keys.topic(settings.VENUE, private_topic(topic, user.pk))


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.client.PubSub]:
    """A subscription as the hub has one."""
    monkeypatch.setattr(valuing, "_last_told", {})
    client = redis.Redis.from_url(settings.REDIS_URL)
    with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
        yield pubsub


def subscribe(ear: redis.client.PubSub, *channels: str) -> None:
    ear.subscribe(*channels)  # type: ignore[no-untyped-call]
    ear.ping()
    ear.get_message(timeout=5)


def open_one(user: User) -> None:
    account = make_account(user)
    trades_of(account, make_fill(account, 1, "BUY", "100", quantity="2"))
    assert OpenPosition.objects.filter(account=account).exists()


def test_those_who_listen_are_known_by_their_topic(
    ear: redis.client.PubSub, alice: User, bob: User
) -> None:
    assert live.listeners("pnl") == set()
    subscribe(ear, channel(alice), channel(bob, "account"))
    assert (live.listeners("pnl"), live.listeners("account")) == ({alice.pk}, {bob.pk})


def test_only_who_listens_is_told_and_anew_after_a_pause(
    ear: redis.client.PubSub, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (alice, bob):
        open_one(user)
    told: list[int] = []
    monkeypatch.setattr(live, "tell", lambda user, *more: told.append(user))

    def one_round() -> None:
        valuing.tell(valuing.listeners())

    one_round()
    assert told == []
    subscribe(ear, channel(alice))
    one_round()
    one_round()
    assert told == [alice.pk]  # once: nothing has moved
    ear.unsubscribe(channel(alice))  # type: ignore[no-untyped-call]
    ear.get_message(timeout=5)
    until(lambda: not live.listeners("pnl"))
    one_round()
    subscribe(ear, channel(alice), channel(bob))
    until(lambda: len(live.listeners("pnl")) == 2)
    one_round()
    assert told == [alice.pk, alice.pk, bob.pk]


def test_what_was_closed_is_told_to_who_listens(
    ear: redis.client.PubSub, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one(alice)
    counts: list[int] = []
    monkeypatch.setattr(
        live, "tell", lambda user, topic, slot, at, data: counts.append(len(data["positions"]))
    )
    subscribe(ear, channel(alice))
    valuing.tell(valuing.listeners())
    OpenPosition.objects.update(quantity=0)
    valuing.tell(valuing.listeners())
    valuing.tell(valuing.listeners())
    assert counts == [1, 0]


def test_without_redis_nobody_is_told(
    ear: redis.client.PubSub, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(ear, channel(alice))

    def away() -> redis.Redis:
        return redis.Redis(port=1)

    monkeypatch.setattr(live, "hot_client", away)
    assert live.listeners("pnl") == set()
