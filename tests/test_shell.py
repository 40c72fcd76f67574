"""What every page stands in: errors with a way on, what a browser installs, and the page on which a
new user waits."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User
from config import errors
from journal.models import Balance, Coverage, Preferences, Sync
from journal.selectors.preferences import preferences_of
from tests.journal.accounts import make_account, some_trades

pytestmark = pytest.mark.django_db


def test_a_form_that_is_too_old_says_that_nothing_was_done(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    answer = browser.post("/settings/display/", {"unit": "risk"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "This form is too old" in page
    assert 'class="rail"' in page
    assert preferences_of(alice).unit == "money"


def test_pages_that_are_not_there_or_not_allowed_keep_the_shell(alices_browser: Client) -> None:
    missing = alices_browser.get("/nowhere/")
    assert missing.status_code == 404
    assert 'class="rail"' in missing.content.decode()
    refused = alices_browser.get("/staff/imports/")
    assert refused.status_code == 403
    assert "You may not see this page" in refused.content.decode()


def test_an_error_asks_nothing_of_a_broken_server() -> None:
    answer = errors.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()


def test_it_can_be_installed_and_says_when_there_is_no_network(client: Client) -> None:
    manifest = client.get("/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    told = manifest.json()
    assert (told["display"], told["start_url"]) == ("standalone", "/")
    for icon in told["icons"]:
        name = icon["src"].removeprefix("/static/")
        assert (django_settings.BASE_DIR / "static" / name).exists()
    worker = client.get("/sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert "/offline/" in worker.content.decode()
    page = client.get("/offline/").content.decode()
    assert "Offline" in page
    assert "csrf" not in page


def test_the_zone_is_the_browsers_until_its_owner_chooses(alices_browser: Client) -> None:
    assert 'data-zone="UTC"' in alices_browser.get("/settings/").content.decode()
    alices_browser.post("/settings/zone/", {"zone": "Asia/Seoul"})
    chosen = Preferences.objects.get()
    assert (chosen.zone, chosen.is_zone_chosen) == ("Asia/Seoul", True)
    alices_browser.post("/settings/zone/", {"zone": "Europe/Berlin"})
    alices_browser.post("/settings/zone/", {"zone": "Moon/Crater"})
    assert Preferences.objects.get().zone == "Asia/Seoul"


def test_a_new_user_sees_what_is_read_and_how_far_it_is(alice: User, client: Client) -> None:
    account = make_account(alice)
    Sync.objects.create(
        account=account,
        state="running",
        note="Binance asked us to wait %(seconds)s s. Nothing is lost; syncing goes on by itself.",
        note_values={"seconds": 34},
        done=40,
        expected=100,
        started_at=timezone.now() - timedelta(seconds=60),
    )
    Coverage.objects.create(
        account=account,
        kind="fills",
        market="spot",
        symbol="BTCUSDT",
        rows=3200,
        oldest=timezone.now() - timedelta(days=200),
        checked_at=timezone.now(),
    )
    client.force_login(alice)
    page = client.get("/").content.decode()
    for text in ("Your history is being read", "wait 34 s", "40%", "BTCUSDT", "3200"):
        assert text in page
    assert "$0.00" not in page
    assert "No trades yet" not in page
    some_trades(account)
    part = client.get("/", headers={"X-Part": "refresh"}).content.decode()
    assert "<html" not in part
    assert "Net so far" in part
    Sync.objects.update(state="complete", finished_at=timezone.now())
    over = client.get("/", headers={"X-Part": "refresh"}).content.decode()
    assert "data-over" in over
    assert "You and the flow" in client.get("/").content.decode()


def test_who_goes_on_without_waiting_is_told_that_numbers_are_partial(
    alice: User, client: Client
) -> None:
    account = make_account(alice)
    some_trades(account)
    Sync.objects.create(account=account, state="running", started_at=timezone.now())
    client.force_login(alice)
    client.post("/start/on/")
    page = client.get("/").content.decode()
    assert "So far: the first reading of your history is not over." in page


def test_without_a_trade_no_zero_is_shown(alice: User, client: Client) -> None:
    account = make_account(alice)
    Sync.objects.create(account=account, state="complete", finished_at=timezone.now())
    client.force_login(alice)
    page = client.get("/").content.decode()
    assert "$0.00" not in page
    assert "no closed trade yet" in page
    assert "$0.00" not in client.get("/portfolio/").content.decode()


def test_an_account_is_worth_the_same_on_both_pages(alice: User, client: Client) -> None:
    account = make_account(alice)
    for wallet, held in (("spot", 100), ("usdm", 50)):
        Balance.objects.create(
            account=account,
            wallet=wallet,
            asset="USDT",
            free=held,
            locked=0,
            updated_at=timezone.now(),
        )
    client.force_login(alice)
    assert "$150.00" in client.get("/portfolio/").content.decode()
    assert "$150.00" in client.get("/account/exchange/").content.decode()
