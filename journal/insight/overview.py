"""Findings, costs, what may come, whether the edge changed, stops and exits: the first page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from journal.insight.entering import at_entries
from journal.insight.question import Made, Question
from journal.insight.winners import cut_winners
from journal.metrics.edge import Rolling, rolling
from journal.metrics.findings import Compared
from journal.models import Preferences
from journal.selectors import fates
from journal.selectors import insight as insights
from journal.selectors.insight import Told, tell
from journal.selectors.insight_words import group_of, question_of
from journal.selectors.report_rows import Row

# loading, winners, entries, findings, all the rest: what is told of the way
STEPS = 5


@dataclass(frozen=True)
class Insight:
    """`questions`: how many were asked together; `too_few`: (question, group, n)."""

    claims: list[Told]
    compared: list[Told]
    costs: list[Told]
    too_few: list[tuple[str, str, int]]
    questions: int


def compute(question: Question) -> Made:
    rows, chosen = question.rows, question.chosen
    question.tell(1, STEPS)
    winners = cut_winners(question)
    question.tell(2, STEPS)
    entered = at_entries(rows)
    question.tell(3, STEPS)
    findings = insights.find_in(rows, chosen, winners, entered)
    question.tell(4, STEPS)
    mean, fate, changed = fates.mean_of(rows), fates.fate_of(rows), fates.change_of(rows)
    answer = {
        "count": len(rows),
        "without": len(question.loaded) - len(rows),
        "questions": findings.questions,
        "compared": [asdict(one) for one in findings.compared],
        "costs": [asdict(one) for one in insights.costs(rows)],
        "too_few": findings.too_few,
        "mean": mean and {name: float(value) for name, value in asdict(mean).items()},
        "fate": fate and asdict(fate),
        "change": changed
        and {
            **asdict(changed.change),
            "trade": changed.since.id,
            "closed": changed.since.closed_at.isoformat(),
        },
        "explored": asdict(fates.explored(rows)),
        "rolling": _rolling(rows),
    }
    return Made(answer, {**insights.groups(rows, chosen, winners, entered), **fates.behind(rows)})


def read(answer: dict[str, Any], chosen: Preferences) -> Insight:
    """In the words and unit of who looks."""
    compared = [Compared(**one) for one in answer["compared"]]
    claims = sorted((c for c in compared if c.is_claim), key=lambda c: (c.p, -abs(c.effect)))
    return Insight(
        claims=[tell(one, chosen) for one in claims],
        compared=[tell(one, chosen) for one in compared],
        costs=[tell(Compared(**one), chosen) for one in answer["costs"]],
        too_few=[(question_of(by), group_of(by, name), n) for by, name, n in answer["too_few"]],
        questions=answer["questions"],
    )


def _rolling(rows: Sequence[Row]) -> dict[str, Any] | None:
    figures: Rolling | None = rolling([float(row.net) for row in rows])
    return None if figures is None else asdict(figures)
