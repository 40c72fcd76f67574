"""Rule adherence and what it is worth: the rules of one's setups as they were ticked, and rules
about oneself with their breaks."""

from dataclasses import asdict

from journal.insight.breaks import breaks_of
from journal.insight.question import Made, Question
from journal.metrics.adherence import worth
from journal.models import Annotation
from journal.selectors.report_rows import Row

ALL = "all"


def compute(question: Question) -> Made:
    rows = {row.id: row for row in question.rows}
    ticked = _ticked(question, list(rows.values()))
    broken = _broken(question, rows)
    groups = {**ticked, **broken}
    results = {
        name: tuple([float(rows[pk].net) for pk in side] for side in sides)
        for name, sides in groups.items()
    }
    worths = {one.name: one for one in worth({k: (v[0], v[1]) for k, v in results.items()})}
    return Made(
        {
            "count": len(rows),
            "setups": [_told(name, asdict(worths[name])) for name in ticked],
            "oneself": [_told(name, asdict(worths[name])) for name in broken],
        },
        {
            (side, name): trades
            for name, sides in groups.items()
            for side, trades in zip(("rule kept", "rule broken"), sides, strict=True)
        },
    )


Sides = tuple[list[int], list[int]]


def _ticked(question: Question, rows: list[Row]) -> dict[str, Sides]:
    """Reviewed trades of a setup with rules, where it was said which were kept: `setup: rule`, and
    `setup: all`."""
    notes: dict[str, Annotation] = {}
    written = Annotation.objects.filter(user=question.user, setup__isnull=False)
    written = written.filter(reviewed_at__isnull=False).order_by("pk").select_related("setup")
    for note in written:
        notes.setdefault(note.trade_key, note)
    found: dict[str, Sides] = {}
    for row in rows:
        note = notes.get(row.key)
        if note is None or note.setup is None or not note.setup.rules:
            continue
        if note.rules_kept is None:
            continue
        kept = set(note.rules_kept)
        rules = [(rule, number in kept) for number, rule in enumerate(note.setup.rules)]
        rules.append((ALL, len(kept) >= len(note.setup.rules)))
        for rule, is_kept in rules:
            sides = found.setdefault(f"{note.setup.name}: {rule}"[:80], ([], []))
            sides[0 if is_kept else 1].append(row.id)
    return dict(sorted(found.items()))


def _broken(question: Question, rows: dict[int, Row]) -> dict[str, Sides]:
    """Trades with a break beside all others since the first one."""
    sides: dict[str, Sides] = {}
    breaks = breaks_of(question.user)
    for rule in sorted({one.rule for one in breaks}):
        own = [one for one in breaks if one.rule == rule]
        since = min(one.at for one in own)
        with_break = {one.trade for one in own if one.trade in rows}
        others = [pk for pk, row in rows.items() if row.opened_at >= since and pk not in with_break]
        sides[f"{rule}"] = others, [pk for pk in rows if pk in with_break]
    return sides


def _told(name: str, values: dict[str, object]) -> dict[str, object]:
    setup, _, rule = name.rpartition(": ")
    return {**values, "setup": setup, "rule": rule}
