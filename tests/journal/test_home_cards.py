"""The home page's cards: shown, hidden and ordered as their user chose, and nobody else's."""

import re

import pytest
from django.test import Client

from accounts.models import ExchangeAccount, User
from journal.models import Preferences
from journal.selectors.home_cards import CARDS, cards_of
from tests.journal.accounts import make_account, some_trades

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    account = make_account(alice)
    some_trades(account)
    return account


def shown(browser: Client) -> list[str]:
    """The cards' names in the order of the page."""
    return re.findall(r'class="card card-(\w+)"', browser.get("/").content.decode())


def change(browser: Client, card: str, wish: str) -> int:
    return browser.post("/settings/home-card/", {"card": card, "do": wish}).status_code


def test_all_are_there_in_their_order_until_something_is_chosen(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    assert shown(alices_browser) == list(CARDS)
    assert "is-ordered" not in alices_browser.get("/").content.decode()


def test_a_card_is_hidden_and_shown_again_in_its_place(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    assert change(alices_browser, "flow", "hide") == 302
    assert shown(alices_browser) == [name for name in CARDS if name != "flow"]
    assert "is-ordered" not in alices_browser.get("/").content.decode()
    assert "(hidden)" in alices_browser.get("/settings/").content.decode()
    change(alices_browser, "flow", "show")
    assert shown(alices_browser) == list(CARDS)


def test_a_card_moves_up_and_down_and_stays_within_the_list(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    for _ in range(len(CARDS) + 1):
        change(alices_browser, "balances", "up")
    assert shown(alices_browser) == ["balances", *list(CARDS)[:-1]]
    change(alices_browser, "equity", "down")
    assert shown(alices_browser)[:4] == ["balances", "you_and_flow", "calendar", "equity"]
    assert "is-ordered" in alices_browser.get("/").content.decode()


@pytest.mark.parametrize(
    ("card", "wish"), [("moon", "hide"), ("flow", "delete"), ("", ""), ("\0", "up")]
)
def test_what_is_no_change_of_a_card_is_refused(
    alices_browser: Client, account: ExchangeAccount, card: str, wish: str
) -> None:
    assert change(alices_browser, card, wish) == 400
    assert shown(alices_browser) == list(CARDS)


def test_a_card_of_a_later_version_comes_last_and_a_former_one_is_forgotten(alice: User) -> None:
    chosen = Preferences(user=alice, home_cards=[["last", False], ["gone", True]])
    found = cards_of(chosen)
    assert [card.name for card in found][0] == "last"
    assert {card.name for card in found} == set(CARDS)
    assert [card.name for card in found if not card.is_shown] == ["last"]


def test_a_choice_is_its_users_alone(alices_browser: Client, bob: User) -> None:
    change(alices_browser, "equity", "hide")
    some_trades(make_account(bob))
    bobs_browser = Client()
    bobs_browser.force_login(bob)
    assert shown(bobs_browser) == list(CARDS)
