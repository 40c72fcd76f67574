"""Each error's sentence leads to an entry of the guide that is there, in every language."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client

from accounts.models import User
from config import help as help_pages
from config.remedies import ENTRIES, address_of
from journal import faults
from market.models import Trouble
from tests.conftest import MakeInstrument
from tests.signing_in import sign_in
from trading.models import OrderIntent

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
TAG = re.compile(r'{% remedy "([a-z]+)"(?: (?:"([a-z0-9]+)"|[a-z_.]+))? %}')
ANCHORS = sorted(
    {anchor for entries in ENTRIES.values() for anchor in entries.values()} | {"rules"}
)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_anchor_is_an_entry_of_the_guide(language: str) -> None:
    html, _ = help_pages.page("troubleshooting", language)
    there = set(re.findall(r'<h3 id="([^"]+)">', html))
    assert set(ANCHORS) - there == set()
    assert "{#" not in html


def test_each_kind_of_trouble_has_an_entry() -> None:
    assert all(address_of("trouble", kind) for kind in Trouble.Kind.values)
    assert all(address_of("file", code) for code in faults.SENTENCES)
    lost = {OrderIntent.State.UNKNOWN, OrderIntent.State.EXPIRED, OrderIntent.State.REFUSED}
    assert all(address_of("order", state) for state in lost)
    assert address_of("api", "rule_most_trades") == "/help/troubleshooting/#rules"
    assert address_of("account", "nothing such") is None


def test_each_link_in_a_template_names_a_kind_and_a_code_of_the_list() -> None:
    count = 0
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        tags = TAG.findall(text)
        assert len(tags) == text.count("{% remedy"), path
        for kind, code in tags:
            count += 1
            assert kind in ENTRIES, path
            assert not code or address_of(kind, code), (path, code)
    assert count >= 15


def test_the_link_stands_beside_the_sentence() -> None:
    page = Template('{% load help_links %}{% remedy "account" code %}')
    shown = page.render(Context({"code": "clock"}))
    assert shown == '<a class="remedy" href="/help/troubleshooting/#clock">What to do</a>'
    assert page.render(Context({"code": "files_only"})) == ""


@pytest.mark.django_db
def test_a_page_that_is_not_there_leads_to_the_guide(alices_browser: Client) -> None:
    text = alices_browser.get("/nowhere/").content.decode()
    assert 'href="/help/troubleshooting/#not-allowed"' in text


@pytest.mark.django_db
def test_troubles_of_a_tape_lead_to_the_guide(
    alices_browser: Client, alice: User, make_instrument: MakeInstrument
) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    Trouble.objects.create(instrument=make_instrument(), kind=Trouble.Kind.REFUSED, text="no")
    text = alices_browser.get("/status/").content.decode()
    assert 'href="/help/troubleshooting/#trouble"' in text


@pytest.mark.django_db
def test_an_error_of_the_api_names_its_entry_in_a_header(alice: User) -> None:
    long_ago = sign_in(Client(), alice, fresh=False)
    refused = long_ago.post("/api/me/export")
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up")
    assert refused["Link"] == '</help/troubleshooting/#second-factor>; rel="help"'
    assert "Link" not in long_ago.get("/api/alerts")
