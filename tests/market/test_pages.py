"""Pages of the market and the health addresses."""

from datetime import timedelta

import pytest
import redis
from django.test import Client
from django.utils import timezone

from lib.decimals import UNIT
from market.collector import lease
from market.hot import keys
from market.models import CollectorLease
from tests.conftest import KEY, MakeInstrument

pytestmark = pytest.mark.django_db


def test_home_lists_the_followed_markets_with_their_price(
    alices_browser: Client, make_instrument: MakeInstrument, empty_redis: redis.Redis
) -> None:
    make_instrument("BTCUSDT")
    make_instrument("ETHUSDT", is_followed=False)
    empty_redis.hset(keys.state(KEY), mapping={"price": 95 * UNIT, "covered_to": 1})
    page = alices_browser.get("/").content.decode()
    assert "/market/BTCUSDT/" in page
    assert ">95<" in page
    assert "ETHUSDT" not in page


def test_home_says_what_to_do_when_nothing_is_followed(alices_browser: Client) -> None:
    assert "No market is followed yet" in alices_browser.get("/").content.decode()


def test_a_market_page_names_its_symbol(
    alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    page = alices_browser.get("/market/btcusdt/").content.decode()
    assert 'data-symbol="BTCUSDT"' in page
    assert "Simulated market" in page


def test_an_unknown_market_is_not_found(alices_browser: Client) -> None:
    assert alices_browser.get("/market/NOPE/").status_code == 404


def test_healthz_needs_nothing(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "up"}


def test_readyz_is_red_without_a_collector(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "postgresql": "ok", "redis": "ok", "collector": "no collector runs",
    }  # fmt: skip


def test_readyz_is_green_with_a_connected_feed(client: Client) -> None:
    assert lease.acquire("simulator:spot", "me")
    assert client.get("/readyz").json()["checks"]["collector"] == "feed is starting"
    assert lease.renew("simulator:spot", "me", "connected")
    assert client.get("/readyz").status_code == 200


def test_a_share_has_one_holder_at_a_time() -> None:
    assert lease.acquire("share", "a")
    assert not lease.acquire("share", "b")
    assert lease.is_held("share")
    lease.release("share", "a")
    assert not lease.is_held("share")
    assert lease.acquire("share", "b")
    assert not lease.renew("share", "a", "connected")


def test_a_lease_that_ran_out_is_taken_over() -> None:
    lease.acquire("share", "a")
    CollectorLease.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert lease.acquire("share", "b")


def test_metrics_are_served(client: Client) -> None:
    assert b"python_info" in client.get("/metrics").content
