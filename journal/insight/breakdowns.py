"""The small bars beside the names of the dimensions in the reports: a bar a group, by each measure.
Not a page of its own."""

from decimal import Decimal
from typing import Any

from journal.insight.question import Made, Question
from journal.metrics.spread import Spread
from journal.selectors import measures
from journal.selectors.dimensions import DIMENSIONS
from journal.selectors.reports import Group, shown_groups
from journal.selectors.scope import Scope

# bars a drawing has room for: the groups with the most trades
MOST_BARS = 12


def compute(question: Question) -> Made:
    """`{dimension: {measure: [how far from the middle, …]}}`, in the order of the groups' names;
    what has no value is 0."""
    scope = Scope(question.user, question.trade_filter, question.chosen)
    answer = {}
    for done, name in enumerate(DIMENSIONS):
        question.tell(done, len(DIMENSIONS))
        answer[name] = _bars(shown_groups(scope, name))
    return Made(answer)


def read(answer: dict[str, Any], metric: str) -> dict[str, list[Decimal]]:
    """Of the dimensions that tell more than one group apart."""
    bars = {name: [Decimal(text) for text in by[metric]] for name, by in answer.items()}
    return {name: values for name, values in bars.items() if len(values) > 1}


def _bars(groups: list[Group]) -> dict[str, list[str]]:
    largest = sorted(groups, key=lambda group: -group.count)[:MOST_BARS]
    kept = sorted(largest, key=lambda group: group.name)
    return {
        metric: [_text(measure.drawn(group)) for group in kept]
        for metric, measure in measures.MEASURES.items()
    }


def _text(drawn: Spread | None) -> str:
    return "0" if drawn is None else f"{drawn.mean:.8f}"
