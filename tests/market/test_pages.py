"""Pages of the market and the health addresses."""

import re
import time
from datetime import timedelta

import pytest
import redis
from django.test import Client
from django.utils import timezone

from lib.decimals import UNIT
from market.api import wishes
from market.hot import keys
from market.hot.codec import GapRecord, encode_gap
from market.jobs import lease
from market.models import CollectorLease, Gap, Instrument, MinuteAudit
from market.selectors.status import tape_statuses
from tests.conftest import KEY, MakeInstrument

pytestmark = pytest.mark.django_db


def test_home_lists_the_followed_markets_with_their_price(
    alices_browser: Client, make_instrument: MakeInstrument, empty_redis: redis.Redis
) -> None:
    make_instrument("BTCUSDT")
    make_instrument("ETHUSDT", is_followed=False)
    now_ms = int(time.time() * 1000)
    empty_redis.hset(keys.state(KEY), mapping={"price": 95 * UNIT, "covered_to": now_ms})
    page = alices_browser.get("/markets/").content.decode()
    assert "/market/BTCUSDT/" in page
    assert ">95<" in page
    assert "ETHUSDT" not in page


def test_home_says_what_to_do_when_nothing_is_followed(alices_browser: Client) -> None:
    assert "No market is followed yet" in alices_browser.get("/markets/").content.decode()


def test_a_market_page_names_its_symbol(
    alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    page = alices_browser.get("/market/btcusdt/").content.decode()
    assert 'data-symbol="BTCUSDT"' in page
    assert "Simulated market" in page


def test_a_chart_has_words_for_why_bars_are_missing(
    alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    content = alices_browser.get("/market/BTCUSDT/").content.decode()
    for reason in ("before_listing", "busy", "no_candles", *wishes.NO_SECONDS):
        assert re.search(f'data-{reason}="[a-z0-9 ;]+ [a-zA-Z0-9 ;]+"', content), reason


def test_a_symbol_with_a_future_can_be_switched_to_it(
    alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    assert "/market/usdm/BTCUSDT/" not in alices_browser.get("/market/BTCUSDT/").content.decode()
    make_instrument("BTCUSDT", market="usdm")
    assert "/market/usdm/BTCUSDT/" in alices_browser.get("/market/BTCUSDT/").content.decode()
    page = " ".join(alices_browser.get("/market/usdm/BTCUSDT/").content.decode().split())
    assert 'data-kind="usdm" data-pair="spot"' in page
    assert 'data-switch="unit"' not in page  # futures know no single trades
    assert alices_browser.get("/market/usdm/ETHUSDT/").status_code == 404


def test_an_unknown_market_is_not_found(alices_browser: Client) -> None:
    assert alices_browser.get("/market/NOPE/").status_code == 404


@pytest.mark.parametrize("path", ["/market/A%00B/", "/market/usdm/%00/"])
def test_a_symbol_that_no_text_can_hold_is_refused(alices_browser: Client, path: str) -> None:
    assert alices_browser.get(path).status_code == 400


def test_healthz_needs_nothing(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "up"}


def test_readyz_is_red_without_a_collector(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "postgresql": "ok",
        "redis": "ok",
        "collector": "no collector runs",
    }


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


def test_status_says_how_whole_each_tape_is(
    alices_browser: Client, make_instrument: MakeInstrument, empty_redis: redis.Redis
) -> None:
    instrument = make_instrument("BTCUSDT")
    make_instrument("ETHUSDT")
    now_ms = int(timezone.now().timestamp() * 1000)
    state = {"covered_from": now_ms - 7_200_000, "covered_to": now_ms - 500, "last_id": 1234}
    empty_redis.hset(keys.state(KEY), mapping=state)
    gap = GapRecord(1, 500, now_ms - 3_600_000, now_ms - 3_528_000, "a test", "open")
    empty_redis.hset(keys.gaps(KEY), "1", encode_gap(gap).decode())
    Gap.objects.create(
        instrument=instrument,
        first_id=1,
        last_id=500,
        from_ms=gap.from_ms,
        to_ms=gap.to_ms,
        cause="a test",
        state="open",
    )
    minute = timezone.now().replace(second=0, microsecond=0)
    MinuteAudit.objects.create(instrument=instrument, minute=minute, state="agrees")
    [first, second] = tape_statuses([instrument, Instrument.objects.get(symbol="ETHUSDT")])
    assert (first.state, first.missing_ids, first.open_gaps) == ("catching up", 500, 1)
    assert first.uptime_day == pytest.approx(99.0, abs=0.01)  # 72 s of two hours are missing
    assert first.audited == {"agrees": 1}
    assert (second.state, second.uptime_day) == ("unknown", None)
    page = alices_browser.get("/status/").content.decode()
    assert "catching up" in page
    assert "1 gap" in page
    part = alices_browser.get("/status/", headers={"X-Part": "refresh"}).content.decode()
    assert "<html" not in part
    assert "catching up" in part


def test_status_works_without_redis(
    alices_browser: Client, make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instrument("BTCUSDT")

    def away(*names: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(redis.Redis, "hmget", away)
    assert "no data" in alices_browser.get("/status/").content.decode()


def test_status_needs_sign_in(client: Client) -> None:
    assert client.get("/status/").status_code == 302
