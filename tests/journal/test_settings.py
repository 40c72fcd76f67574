"""Settings are saved one at a time, what is removed can come back, and the pill in the head."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from journal.models import Annotation, NoteTemplate, Setup, Sync, Tag
from journal.selectors.preferences import preferences_of
from journal.services import removing
from tests.journal.accounts import make_account, some_trades

pytestmark = pytest.mark.django_db
SAID = {"method": "fifo", "zone": "UTC", "day_start": "0", "currency": "USD"}


def at_once(browser: Client, **changes: str) -> Any:
    return browser.post("/settings/", {**SAID, **changes}, headers={"X-Part": "at-once"})


def test_a_setting_is_saved_without_a_page(alice: User, alices_browser: Client) -> None:
    assert at_once(alices_browser, day_start="6", sets_aside="on").status_code == 204
    chosen = preferences_of(alice)
    assert (chosen.day_start, chosen.sets_aside, chosen.is_zone_chosen) == (6, True, True)
    assert at_once(alices_browser).status_code == 204
    chosen = preferences_of(alice)
    assert (chosen.day_start, chosen.sets_aside) == (0, False)


def test_a_bad_setting_is_told_and_nothing_is_saved(alice: User, alices_browser: Client) -> None:
    answer = at_once(alices_browser, zone="Moon/Crater", day_start="6")
    assert answer.status_code == 422
    assert "Expected a time zone" in str(answer.json()["errors"]["zone"])
    assert preferences_of(alice).day_start == 0


def undo(browser: Client, page: str) -> str:
    token = page.split('name="token" value="')[1].split('"')[0]
    return browser.post("/settings/restore/", {"token": token}, follow=True).content.decode()


def test_a_removed_setup_comes_back_with_its_trades(alice: User, alices_browser: Client) -> None:
    setup = Setup.objects.create(user=alice, name="breakout", rules=["wait"])
    note = Annotation.objects.create(user=alice, trade_key="k", setup=setup, rules_kept=[0])
    page = alices_browser.post(
        "/settings/change/", {"do": "delete-setup", "id": setup.pk}, follow=True
    ).content.decode()
    note.refresh_from_db()
    assert note.setup is None
    assert not Setup.objects.exists()
    assert "It is back." in undo(alices_browser, page)
    back = Annotation.objects.get(pk=note.pk)
    assert back.setup is not None
    assert (back.setup.name, back.setup.rules, back.rules_kept) == ("breakout", ["wait"], [0])


def test_tags_and_templates_come_back_too(alice: User) -> None:
    tag = Tag.objects.create(user=alice, kind="mistake", name="late")
    note = Annotation.objects.create(user=alice, trade_key="k")
    note.tags.add(tag)
    template = NoteTemplate.objects.create(user=alice, name="plan", text="why")
    tokens = [
        removing.remove(user=alice, kind="tag", pk=tag.pk),
        removing.remove(user=alice, kind="template", pk=template.pk),
    ]
    assert not Tag.objects.exists()
    assert all(removing.restore(user=alice, token=token) for token in tokens)
    assert [found.name for found in note.tags.all()] == ["late"]
    assert NoteTemplate.objects.get().text == "why"
    assert not removing.restore(user=alice, token=tokens[0])


def test_nobody_removes_or_brings_back_what_is_anothers(
    alice: User, bob: User, client: Client
) -> None:
    client.force_login(bob)
    setup = Setup.objects.create(user=alice, name="breakout")
    client.post("/settings/change/", {"do": "delete-setup", "id": setup.pk})
    assert Setup.objects.filter(pk=setup.pk).exists()
    token = removing.remove(user=alice, kind="setup", pk=setup.pk)
    page = client.post("/settings/restore/", {"token": token}, follow=True)
    assert "Too late" in page.content.decode()
    assert not Setup.objects.exists()
    assert removing.restore(user=alice, token=token)
    assert client.get("/settings/restore/").status_code == 405


def test_the_pill_names_the_account_and_switches_the_page(
    alice: User, alices_browser: Client
) -> None:
    first, second = make_account(alice), make_account(alice, "second")
    some_trades(first)
    pill = alices_browser.get("/trades/?symbol=BTCUSDT&page=2").context["pill"]
    assert (pill.chosen, pill.tone, pill.can_switch) == (None, "live", True)
    assert pill.choices[1].query == f"symbol=BTCUSDT&account={second.pk}"
    answer = alices_browser.get(f"/trades/?account={second.pk}")
    assert answer.context["pill"].chosen.account == second
    # other pages are of the same account
    assert f'href="/calendar/?account={second.pk}"' in answer.content.decode()
    assert not alices_browser.get("/settings/").context["pill"].can_switch


def test_the_pill_tells_of_a_reading_and_of_what_is_ill(
    alice: User, alices_browser: Client
) -> None:
    account = make_account(alice)
    Sync.objects.create(
        account=account,
        state="running",
        done=31,
        expected=50,
        finished_at=timezone.now() - timedelta(days=1),
    )
    pill = alices_browser.get("/trades/").context["pill"]
    assert (pill.tone, pill.percent) == ("busy", 62)
    Sync.objects.update(state="complete")
    account.state = "broken"
    account.save()
    assert alices_browser.get("/trades/").context["pill"].tone == "ill"


def test_without_an_account_there_is_no_pill(alices_browser: Client) -> None:
    assert "account-pill" not in alices_browser.get("/settings/").content.decode().split("<main")[1]
    assert '<details class="menu-of account-pill"' not in alices_browser.get("/").content.decode()
