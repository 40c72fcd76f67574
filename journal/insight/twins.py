"""One's own trades under other rules, on the recorded path of the market."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from journal.insight.cases import MOST_TRADES, Case, cases_of, with_paths
from journal.insight.question import Made, Question
from journal.metrics.pairs import compare
from journal.metrics.twin import (
    Exit,
    Held,
    Path,
    flow_turns,
    funding_is_known,
    stop_and_target,
    time_exit,
    trailing,
)
from journal.models import Market, Trade

Rule = Callable[[Held, Path], Exit | None]
# those that need a first stop, and go on behind one's own exit
BY_STOP: dict[str, Rule] = {
    "target_1r": lambda held, path: stop_and_target(held, path, 1.0),
    "target_2r": lambda held, path: stop_and_target(held, path, 2.0),
    "target_3r": lambda held, path: stop_and_target(held, path, 3.0),
    "trail_1r": lambda held, path: trailing(held, path, 1.0),
    "trail_2r": lambda held, path: trailing(held, path, 2.0),
}
BY_TIME: dict[str, Rule] = {
    "time_5m": lambda held, path: time_exit(held, path, 300),
    "time_15m": lambda held, path: time_exit(held, path, 900),
    "time_1h": lambda held, path: time_exit(held, path, 3600),
    "time_4h": lambda held, path: time_exit(held, path, 14_400),
}
FLOW_TURNS, WITH_FLOW, HALF = "flow_turns", "with_flow", "half_after_two"
NAMES = (*BY_STOP, *BY_TIME, FLOW_TURNS, WITH_FLOW, HALF)
POINTS = 150


@dataclass
class Tried:
    """Of one rule, by trade: what it would have made, as likely the other way round, and what could
    not be told."""

    other: dict[int, float] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    unsure: int = 0
    # how much more it would be, had everything unsure gone well
    luck: float = 0.0
    # held to the end of what is known
    ends: int = 0
    untold: Counter[str] = field(default_factory=Counter)


def compute(question: Question) -> Made:
    """Of the newest trades."""
    rows = question.rows[-MOST_TRADES:]
    tried: dict[str, Tried] = defaultdict(Tried)
    done = 0
    for group in cases_of(question, rows):
        for case, path in with_paths(group):
            _try_all(case, path, tried)
            done += 1
            question.tell(done, len(rows))
    made = {row.id: float(row.net) for row in rows}
    pairs = {
        name: (
            [made[pk] for pk in made if pk in tried[name].other],
            [tried[name].other[pk] for pk in made if pk in tried[name].other],
        )
        for name in NAMES
    }
    compared = compare(pairs)
    rules = [
        {
            "name": name,
            **asdict(compared[name]),
            "changed": len(tried[name].changed),
            "unsure": tried[name].unsure,
            "luck": tried[name].luck,
            "ends": tried[name].ends,
            "untold": dict(tried[name].untold),
            "curves": _curves(*pairs[name]),
        }
        for name in NAMES
    ]
    return Made(
        {"trades": len(rows), "left_out": len(question.rows) - len(rows), "rules": rules},
        _sets(list(made), tried),
    )


def _try_all(case: Case, path: Path | None, tried: Mapping[str, Tried]) -> None:
    _against_flow(case, tried[WITH_FLOW])
    _half(case, tried[HALF])
    for name, rule in BY_STOP.items():
        why = _why_not(case, path) or ("" if case.held and case.held.risk else "no_stop")
        _try(case, path, tried[name], rule, why)
    for name, rule in BY_TIME.items():
        _try(case, path, tried[name], rule, _why_not(case, path))
    why = _why_not(case, path) or _no_large_orders(case, path)
    _try(case, path, tried[FLOW_TURNS], flow_turns, why)


def _why_not(case: Case, path: Path | None) -> str:
    return case.why or ("no_path" if path is None else "")


def _no_large_orders(case: Case, path: Path | None) -> str:
    if path is None or case.held is None:
        return "no_path"
    if path.fine_to < case.held.closed:
        return "minutes_only"
    return "no_bands" if np.isnan(path.until(case.held.closed).large).any() else ""


def _try(case: Case, path: Path | None, tried: Tried, rule: Rule, why: str) -> None:
    pk, held = case.row.id, case.held
    if why or held is None or path is None:
        tried.untold[why] += 1
        return
    outcome = rule(held, path)
    if outcome is None:  # it had been closed before
        tried.other[pk] = case.made
        return
    if case.trade.market != Market.SPOT and not (
        outcome.at <= held.closed or funding_is_known(held.closed, outcome.at)
    ):
        tried.untold["funding"] += 1
        return
    tried.other[pk] = held.net(outcome.price, outcome.at) * case.factor
    tried.changed.add(pk)
    tried.ends += outcome.is_end
    if outcome.other is not None:
        tried.unsure += 1
        tried.luck += held.net(outcome.other, outcome.at) * case.factor - tried.other[pk]


def _against_flow(case: Case, tried: Tried) -> None:
    """Nothing is made of what was not traded."""
    if case.trade.flow == Trade.Against.UNKNOWN:
        tried.untold["flow_unknown"] += 1
        return
    is_against = case.trade.flow == Trade.Against.AGAINST
    tried.other[case.row.id] = 0.0 if is_against else case.made
    if is_against:
        tried.changed.add(case.row.id)


def _half(case: Case, tried: Tried) -> None:
    """Half of everything, after two losses in a row or more."""
    is_half = case.row.after_loss >= 2
    tried.other[case.row.id] = case.made / 2 if is_half else case.made
    if is_half:
        tried.changed.add(case.row.id)


def _curves(made: Sequence[float], other: Sequence[float]) -> list[list[float]]:
    """[number of the trade, made so far, other so far], at most so many places."""
    step = max(1, -(-len(made) // POINTS))
    curves: list[list[float]] = [[0, 0.0, 0.0]]
    mine = its = 0.0
    for number, (a, b) in enumerate(zip(made, other, strict=True), 1):
        mine, its = mine + a, its + b
        if number % step == 0 or number == len(made):
            curves.append([number, mine, its])
    return curves


def _sets(order: Sequence[int], tried: Mapping[str, Tried]) -> dict[tuple[str, str], list[int]]:
    by_group: dict[tuple[str, str], list[int]] = {}
    for name, one in tried.items():
        by_group["twin", name] = [pk for pk in order if pk in one.other]
        by_group["twin changed", name] = [pk for pk in order if pk in one.changed]
        by_group["twin untold", name] = [pk for pk in order if pk not in one.other]
    return by_group
