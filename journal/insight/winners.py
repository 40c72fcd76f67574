"""Winners that were closed before their target: what keeping to it would have made."""

from journal.insight.cases import Case, cases_of, with_paths
from journal.insight.question import Question
from journal.metrics.twin import Exit, Held, Path, funding_is_known, stop_and_target
from journal.models import Market
from journal.selectors.insight import Pair

# so many of the newest; a path of seconds each
MOST = 300
# an exit nearer than this part of the way was at the target
NEARLY = 0.95


def cut_winners(question: Question) -> list[Pair]:
    """(trade, what its stop or target would have made within the hour behind the exit, or where
    the price stood then; what was made), in the unit; by closing."""
    candidates = [row for row in question.rows if row.net > 0 and row.has_target][-MOST:]
    pairs: dict[int, Pair] = {}
    for group in cases_of(question, candidates):
        cut = [case for case in group if _is_cut(case)]
        for case, path in with_paths(cut) if cut else ():
            kept = None if path is None else _kept(case, path)
            if kept is not None:
                pairs[case.row.id] = case.row.id, kept * case.factor, case.made
    return [pairs[row.id] for row in candidates if row.id in pairs]


def _is_cut(case: Case) -> bool:
    held = case.held
    if held is None or held.risk is None or case.target is None or case.trade.exit_price is None:
        return False
    sign = 1 if held.is_long else -1
    way = sign * (case.target - held.entry)
    came = sign * (float(case.trade.exit_price / case.trade.quote_rate) - held.entry)
    return 0 < came < NEARLY * way


def _kept(case: Case, path: Path) -> float | None:
    held, target = case.held, case.target
    if held is None or held.risk is None or target is None:
        return None
    target_r = abs(target - held.entry) / held.risk
    outcome: Exit | None = stop_and_target(held, path.behind(held.closed), target_r)
    if outcome is None or not _is_told(held, outcome, case.trade.market):
        return None
    return held.net(outcome.price, outcome.at)


def _is_told(held: Held, found: Exit, market: str) -> bool:
    return market == Market.SPOT or funding_is_known(held.closed, found.at)
