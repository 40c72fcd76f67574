"""What a user's pages show."""

from typing import Any

from accounts.models import User
from journal.models import Preferences
from journal.selectors.preferences import preferences_of
from market import indicators

# beside indicators: divergence and absorption, volume by price, and the other market's CVD
EXTRAS = ("marks", "profile", "pair")
MOST_STUDIES = 12


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
    found = preferences_of(user)
    found.studies = words
    found.save(update_fields=["studies"])
    return found
