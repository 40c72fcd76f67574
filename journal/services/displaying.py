"""What a user's pages show."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from journal.models import Preferences
from journal.models.notes import validate_zone
from journal.selectors.home_cards import Card, cards_of
from journal.selectors.preferences import preferences_of
from market import indicators

# beside indicators: divergence and absorption, volume by price, and the other market's CVD
EXTRAS = ("marks", "profile", "pair")
MOST_STUDIES = 12


def choose_zone(*, user: User, zone: str) -> bool:
    """The browser's own zone, once: what its owner has chosen stays. Whether it was taken."""
    try:
        validate_zone(zone)
    except ValidationError:
        return False
    waiting = Preferences.objects.filter(pk=preferences_of(user).pk, is_zone_chosen=False)
    waiting = waiting.filter(zone="UTC")
    return bool(waiting.update(zone=zone, is_zone_chosen=True))


def choose_studies(*, user: User, said: Any) -> Preferences:
    """Remember what the market page draws, e.g. ["sma:20", "rsi", "marks"].

    Raises ValueError with what was expected.
    """
    is_list = isinstance(said, list) and all(isinstance(word, str) for word in said)
    if not is_list or len(said) > MOST_STUDIES:
        raise ValueError(f"Expected a list of at most {MOST_STUDIES} indicators or {EXTRAS}.")
    words = list(dict.fromkeys(word.strip().lower() for word in said))
    for word in words:
        if word not in EXTRAS:
            indicators.parse(word)
    preferences = preferences_of(user)
    preferences.studies = words
    preferences.save(update_fields=["studies"])
    return preferences


@transaction.atomic
def change_card(*, user: User, name: str, change: str) -> Preferences:
    """Show or hide a card of the home page, or move it: `show`, `hide`, `up` or `down`.

    Raises ValueError with what was expected.
    """
    preferences_of(user)
    preferences = Preferences.objects.select_for_update().get(user=user)
    cards = cards_of(preferences)
    at = next((index for index, card in enumerate(cards) if card.name == name), None)
    if at is None or change not in {"show", "hide", "up", "down"}:
        raise ValueError(f"Expected show, hide, up or down of {[card.name for card in cards]}.")
    if change in {"show", "hide"}:
        cards[at] = Card(name, change == "show")
    else:
        to = min(max(at + (1 if change == "down" else -1), 0), len(cards) - 1)
        cards.insert(to, cards.pop(at))
    preferences.home_cards = [[card.name, card.is_shown] for card in cards]
    preferences.save(update_fields=["home_cards"])
    return preferences
