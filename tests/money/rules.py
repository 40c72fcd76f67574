"""When a remainder counts as gone (money.md §3.4)."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.money.rows import moment
from tests.money.worth import Prices, split_symbol


@dataclass(frozen=True)
class Rule:
    """`since` is None of one that always held."""

    since: datetime | None
    step: Fraction
    notional: Fraction


class Rules:
    """Step size and minimum notional (in the quote) by symbol, each with its first time."""

    def __init__(self, case: dict[str, Any], since: dict[str, list[list[str]]] | None) -> None:
        self.prices: Prices | None = None
        self.known: dict[str, list[Rule]] = {
            symbol: [Rule(None, Fraction(step), Fraction(notional))]
            for symbol, (step, notional) in case.get("rules", {}).items()
        }
        for symbol, rows in (since or {}).items():
            rules = [Rule(moment(at), Fraction(step), Fraction(least)) for at, step, least in rows]
            self.known[symbol] = sorted(rules, key=lambda rule: str(rule.since))

    def is_gone(self, pair: str | None, quantity: Fraction, price: Fraction, now: datetime) -> bool:
        """Below the step or below the minimum at the exit's price; without rules only 0 is."""
        if pair is None or pair not in self.known:
            return False
        rule = self._rule(pair, now)
        assert self.prices
        quote = self.prices.quietly(split_symbol(pair)[1], now)
        is_small = bool(quote) and quantity * price < rule.notional * (quote or 0)
        return quantity < rule.step or is_small

    def _rule(self, pair: str, now: datetime) -> Rule:
        """Of that time; older fills use the oldest kept."""
        oldest, *later = self.known[pair]
        seen = [rule for rule in later if rule.since and rule.since <= now]
        return seen[-1] if seen else oldest
