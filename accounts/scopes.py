"""What a personal token may do. A view says the scope of each method that writes; else READ."""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    READ = "read", _("Read everything, and the live socket")
    JOURNAL = "journal", _("Write notes, tags, trades, watch-lists, setups and imports")
    ACCOUNTS = "accounts", _("Connect and change exchange accounts")
    ALERTS = "alerts", _("Make and change alerts, channels and rules")
    TRADE = "trade", _("Place orders, and switch trading off")


# A method that no token may use: it asks for a fresh factor or password, which a token cannot give.
SESSION_ONLY = "session"
# What a writing method asks for whose view has said nothing: no token has it.
UNDECLARED = "undeclared"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# What `issue_api_token` gives where nothing is said.
DEFAULT = (Scope.READ, Scope.JOURNAL, Scope.ACCOUNTS, Scope.ALERTS)


def needed(view: object, method: str) -> str:
    """The scope that a method of a DRF view asks for, or SESSION_ONLY."""
    if method in SAFE_METHODS:
        return Scope.READ
    scopes: dict[str, str] = getattr(view, "scopes", {})
    return str(scopes.get(method, UNDECLARED))


def parse(words: Iterable[str]) -> list[str]:
    """Known scopes in their order, each once. Raises ValueError with what was expected."""
    names = {word.strip().lower() for word in words if word.strip()}
    unknown = sorted(names - set(Scope.values))
    if unknown or not names:
        was = ", ".join(unknown) or "nothing"
        raise ValueError(f"expected scopes of {', '.join(Scope.values)}, was {was}")
    return [scope for scope in Scope.values if scope in names]
