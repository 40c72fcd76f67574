"""Breaks of rules about oneself, for the journal's insight (registered by config)."""

from accounts.models import User
from journal.insight.breaks import Break
from lib.dates import from_ms
from trading.models import Rule
from trading.selectors.breaks import breaks_of


def rule_breaks(user: User) -> list[Break]:
    return [Break(row["rule"], row["trade"], from_ms(row["at"])) for row in breaks_of(user)]


def rule_name(rule: str) -> str:
    """In the reader's language; another text as it is."""
    return str(Rule.Name(rule).label) if rule in Rule.Name.values else rule
