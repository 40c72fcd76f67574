"""The cards of the home page below its tiles: which of them a user sees, and in which order."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from journal.models import Preferences

# in the order of those who chose none
CARDS: dict[str, Promise] = {
    "you_and_flow": _("You and the flow"),
    "equity": _("Net, cumulated"),
    "calendar": _("This month"),
    "positions": _("Open positions"),
    "flow": _("Flow at entry"),
    "last": _("Last trades"),
    "balances": _("Balances agree?"),
}


@dataclass(frozen=True)
class Card:
    name: str
    is_shown: bool

    @property
    def label(self) -> Promise:
        return CARDS[self.name]

    @property
    def template(self) -> str:
        return f"journal/home/_{self.name}.html"


def cards_of(chosen: Preferences) -> list[Card]:
    """All of them, as chosen; one that came with a later version is shown at the end."""
    known = {name: is_shown for name, is_shown in chosen.home_cards if name in CARDS}
    return [Card(name, known.get(name, True)) for name in {**known, **CARDS}]
