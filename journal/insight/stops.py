"""Stop forensics: behind the stop, at the stop, and other stops."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from journal.insight.cases import MOST_TRADES, Case, cases_of, with_paths
from journal.insight.question import Made, Question
from journal.metrics.pairs import compare
from journal.metrics.stops import (
    DISTANCES,
    MINUTES,
    Stopped,
    after,
    at_distance,
    came_back,
    is_stopped,
)
from journal.metrics.twin import Held, Path, funding_is_known
from journal.models import Market
from lib.dates import to_seconds
from lib.decimals import QUOTE_UNIT
from market.flow.bands import SETS
from market.models import Instrument
from market.selectors.moments import Moments


@dataclass
class Looked:
    stopped: dict[int, Stopped] = field(default_factory=dict)
    other: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    untold: Counter[str] = field(default_factory=Counter)
    unsure: Counter[str] = field(default_factory=Counter)
    # takers' value in the seconds of the stops, on the stop's side, by band
    sizes: Counter[str] = field(default_factory=Counter)
    sizes_of: int = 0


def compute(question: Question) -> Made:
    rows = [row for row in question.rows if row.r is not None][-MOST_TRADES:]
    looked, done = Looked(), 0
    for group in cases_of(question, rows):
        for case, path in with_paths(group):
            _look(case, path, looked)
            done += 1
            question.tell(done, len(rows))
        _sizes([case for case in group if case.row.id in looked.stopped], looked)
    made = {row.id: float(row.net) for row in rows}
    names = [f"{distance:g}" for distance in DISTANCES]
    compared = compare(
        {
            name: (
                [made[pk] for pk in made if pk in looked.other[name]],
                [looked.other[name][pk] for pk in made if pk in looked.other[name]],
            )
            for name in names
        }
    )
    return Made(
        {
            "trades": len(rows),
            "stopped": len(looked.stopped),
            "after": [asdict(one) for one in after(list(looked.stopped.values()))],
            "sizes": [{"size": name, "value": value} for name, value in looked.sizes.items()],
            "sizes_of": looked.sizes_of,
            "distances": [
                {"name": name, **asdict(compared[name]), "unsure": looked.unsure[name]}
                for name in names
            ],
            "untold": dict(looked.untold),
        },
        _sets(list(made), looked),
    )


def _look(case: Case, path: Path | None, looked: Looked) -> None:
    held = case.held
    if held is None or path is None or held.risk is None or case.trade.exit_price is None:
        looked.untold[case.why or ("no_path" if held and held.risk else "no_stop")] += 1
        return
    exit_price = float(case.trade.exit_price / case.trade.quote_rate)
    was_stopped = is_stopped(held, exit_price)
    if was_stopped and case.stop is not None:
        looked.stopped[case.row.id] = Stopped(
            held.is_long, held.entry, case.stop, held.closed, path.behind(held.closed)
        )
    target_r = abs(case.target - held.entry) / held.risk if case.target is not None else None
    for distance in DISTANCES:
        name = f"{distance:g}"
        outcome = at_distance(held, path, distance, target_r, was_stopped=was_stopped)
        if outcome is None:
            looked.other[name][case.row.id] = case.made
        elif _is_told(held, outcome.at, case.trade.market):
            looked.other[name][case.row.id] = held.net(outcome.price, outcome.at) * case.factor
            looked.unsure[name] += outcome.other is not None


def _is_told(held: Held, at: int, market: str) -> bool:
    return market == Market.SPOT or at <= held.closed or funding_is_known(held.closed, at)


def _sizes(cases: Sequence[Case], looked: Looked) -> None:
    """What taker orders traded in the second of each stop, on its side."""
    if not cases:
        return
    first = cases[0].trade
    instrument = Instrument.objects.filter(
        venue=first.account.venue, market=first.market, symbol=first.symbol
    ).first()
    if instrument is None:
        return
    seconds = {case.row.id: to_seconds(case.row.closed_at) for case in cases}
    moments = Moments(instrument, min(seconds.values()), max(seconds.values()) + 1)
    taken, names = moments.taken(seconds.values()), SETS[instrument.band_set].names
    for case in cases:
        both = taken.get(seconds[case.row.id])
        if both is None or case.trade.rate is None:
            continue
        worth = float(case.trade.rate * case.trade.quote_rate)
        looked.sizes_of += 1
        bought, sold = both
        own = sold if case.row.direction == "LONG" else bought
        for name, amount in zip(names, own, strict=True):
            looked.sizes[name] += amount / QUOTE_UNIT * worth


def _sets(order: Sequence[int], looked: Looked) -> Mapping[tuple[str, str], list[int]]:
    by_group = {("stops", "stopped"): [pk for pk in order if pk in looked.stopped]}
    for minutes in MINUTES:
        backs = {pk: came_back(one, minutes) for pk, one in looked.stopped.items()}
        by_group["stops back", str(minutes)] = [pk for pk in order if backs.get(pk)]
        by_group["stops known", str(minutes)] = [pk for pk in order if backs.get(pk) is not None]
    for name, other in looked.other.items():
        by_group["stop distance", name] = [pk for pk in order if pk in other]
    return by_group
