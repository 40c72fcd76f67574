"""The parts of the insight, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import User
from journal.insight import (
    breakdowns,
    counterparty,
    execution,
    overview,
    rules,
    stops,
    together,
    twins,
)
from journal.insight.breaks import breaks_of
from journal.insight.question import Made, Question


@dataclass(frozen=True)
class Kind:
    """`at_once`: up to so many trades nobody waits for a worker. `hours`: it ages by itself.
    `also`: what it is made of beside the trades. `is_page`: not beside another page's own."""

    compute: Callable[[Question], Made]
    at_once: int = 0
    hours: int = 0
    also: Callable[[User], object] | None = None
    is_page: bool = True


PARTS: dict[str, Kind] = {
    "findings": Kind(overview.compute, at_once=150),
    "counterparty": Kind(counterparty.compute),
    "twin": Kind(twins.compute),
    "stops": Kind(stops.compute),
    "execution": Kind(execution.compute),
    "rules": Kind(rules.compute, at_once=150, also=breaks_of),
    "together": Kind(together.compute, hours=1),
    "breakdowns": Kind(breakdowns.compute, at_once=150, is_page=False),
}
PAGES = [name for name, kind in PARTS.items() if kind.is_page]
