"""The exchange's step sizes and minimum notionals, each with the time from which it was seen."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from journal.ledger.records import Rules, exact

# Rules alone hold for ever; with times, each from its own on.
Told = Rules | tuple[Any, Any] | Mapping[str, Any] | Sequence[tuple[Any, Rules]]


class RuleBook:
    """Older fills use the oldest rules; one seen later never changes what was before it."""

    def __init__(self, rules: Mapping[str, Told] | None) -> None:
        self._rules = {symbol: _in_time(told) for symbol, told in (rules or {}).items()}

    def at(self, symbol: str, time: Any) -> Rules | None:
        known = self._rules.get(symbol)
        if not known:
            return None
        if len(known) == 1:
            return known[0][1]
        index = bisect_right([seen for seen, _ in known[1:]], time)
        return known[index][1]


def _in_time(told: Told) -> list[tuple[Any, Rules]]:
    if isinstance(told, Mapping):
        return [(None, _rules(told.get("step_size", 0), told.get("min_notional", 0)))]
    if isinstance(told, list):
        return sorted(((seen, _rules(*rules)) for seen, rules in told), key=lambda item: item[0])
    step_size, min_notional = told
    return [(None, _rules(step_size, min_notional))]


def _rules(step_size: Any, min_notional: Any) -> Rules:
    return Rules(exact(step_size, "step_size"), exact(min_notional, "min_notional"))
