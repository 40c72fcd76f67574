"""The newest trades of a question as other rules would have to hold them: average entry, first
stop, fees and funding, and the path of the market from when they were whole."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings

from journal.insight.paths import path_of
from journal.insight.question import Question
from journal.metrics.trades import initial_risk
from journal.metrics.twin import Held, Path
from journal.models import Annotation, Market, Payment, Preferences, Trade, TradeFill
from journal.selectors.report_rows import Row
from lib.batches import batched
from lib.dates import to_seconds
from market.models import Instrument
from market.selectors.moments import Moments

MOST_TRADES = 2000
AT_ONCE = 100
# what is looked at behind an exit
BEHIND = 3600
# far from one another in time they share no bars
NEAR = timedelta(days=2)


@dataclass(frozen=True)
class Case:
    """`factor` turns money into the question's unit; `held` is None where `why` says why. `target`
    is a price; None: none was set."""

    row: Row
    trade: Trade
    factor: float
    held: Held | None
    why: str
    stop: float | None
    target: float | None
    parts: Sequence[TradeFill]

    @property
    def made(self) -> float:
        """In the question's unit."""
        return float(self.row.net)


def cases_of(question: Question, rows: Sequence[Row]) -> Iterator[list[Case]]:
    """Some at a time, of one market and near in time."""
    notes = _notes(question)
    for some in batched(rows, AT_ONCE):
        yield from _groups(_cases(question.chosen, some, notes))


def with_paths(cases: Sequence[Case], behind: int = BEHIND) -> Iterator[tuple[Case, Path | None]]:
    """From when each was whole to so many seconds behind its exit, as far as it is known."""
    first = cases[0].trade
    moments = None
    instrument = Instrument.objects.filter(
        venue=settings.VENUE, market=first.market, symbol=first.symbol
    ).first()
    held = [case.held for case in cases if case.held is not None]
    if instrument is not None and held:
        start = min(one.begins for one in held)
        moments = Moments(instrument, start, max(one.closed for one in held) + behind)
    for case in cases:
        path = None
        if moments is not None and case.held is not None:
            path = path_of(moments, case.held.begins, case.held.closed, behind)
        yield case, path


def _notes(question: Question) -> dict[str, Annotation]:
    notes: dict[str, Annotation] = {}
    for note in Annotation.objects.filter(user=question.user).order_by("pk"):
        notes.setdefault(note.trade_key, note)
    return notes


def _cases(chosen: Preferences, rows: Sequence[Row], notes: dict[str, Annotation]) -> list[Case]:
    keys = [row.id for row in rows]
    trades = Trade.objects.in_bulk(keys)
    parts: dict[int, list[TradeFill]] = defaultdict(list)
    for part in TradeFill.objects.filter(trade__in=keys).select_related("fill", "fill__flow"):
        parts[part.trade_id].append(part)
    funding: dict[int, list[tuple[int, float]]] = defaultdict(list)
    paid = Payment.objects.filter(trade__in=keys, kind=Payment.Kind.FUNDING, money__isnull=False)
    for trade_id, time, money in paid.values_list("trade_id", "time", "money"):
        funding[trade_id].append((to_seconds(time), float(money)))
    return [
        _case(chosen, row, trades[row.id], notes.get(row.key), parts[row.id], funding[row.id])
        for row in rows
        if row.id in trades
    ]


def _case(
    chosen: Preferences,
    row: Row,
    trade: Trade,
    note: Annotation | None,
    parts: list[TradeFill],
    funding: list[tuple[int, float]],
) -> Case:
    parts.sort(key=lambda part: (part.fill.time, part.fill.trade_id))
    own_stop = note.initial_stop if note else None
    stop = trade.placed_stop if own_stop is None else own_stop
    own_target = note.planned_target if note else None
    target = trade.placed_target if own_target is None else own_target
    held, why = _held(trade, parts, stop, funding)
    return Case(
        row=row,
        trade=trade,
        factor=_factor(chosen, trade, stop),
        held=held,
        why=why,
        stop=None if stop is None else float(stop),
        target=None if target is None else float(target),
        parts=parts,
    )


def _held(
    trade: Trade,
    parts: Sequence[TradeFill],
    stop: Decimal | None,
    funding: Sequence[tuple[int, float]],
) -> tuple[Held | None, str]:
    entries = [part.fill.time for part in parts if part.is_entry]
    exits = [part.fill.time for part in parts if not part.is_entry]
    if trade.closed_at is None or trade.exit_price is None or not entries or not exits:
        return None, "no_fills"
    if trade.by_hand or trade.rate is None or not trade.quote_rate or trade.fees_money is None:
        return None, "by_hand"
    if any(part.fill.symbol != trade.symbol for part in parts):
        return None, "other_pairs"
    if max(entries) > min(exits):
        return None, "added_later"
    entry, rate = float(trade.entry_price / trade.quote_rate), trade.rate * trade.quote_rate
    worth = float(trade.quantity * rate)
    both = entry + float(trade.exit_price / trade.quote_rate)
    fee_rate = float(trade.fees_money) / (both * worth) if both and worth else 0.0
    # to the end of the second in which it became whole: what came first in it is not known
    begins = to_seconds(max(entries)) + 1
    return (
        Held(
            is_long=trade.direction == "LONG",
            entry=entry,
            risk=abs(entry - float(stop)) or None if stop is not None else None,
            worth=worth,
            entry_fees=fee_rate * entry * worth,
            fee_rate=fee_rate,
            funding=funding if trade.market == Market.USDM else [],
            begins=begins,
            closed=max(begins, to_seconds(trade.closed_at) + 1),
        ),
        "",
    )


def _factor(chosen: Preferences, trade: Trade, stop: Decimal | None) -> float:
    """What one unit of money is in the chosen unit."""
    if chosen.unit == Preferences.Unit.PERCENT:
        return 100 / float(trade.size_money) if trade.size_money else 0.0
    if chosen.unit == Preferences.Unit.RISK and trade.rate is not None:
        by_stop = None
        if stop is not None:
            by_stop = initial_risk(trade.entry_price, stop * trade.quote_rate, trade.quantity)
        risk = by_stop or chosen.usual_risk
        return 1 / float(risk * trade.rate) if risk else 0.0
    return 1.0


def _groups(cases: Sequence[Case]) -> Iterator[list[Case]]:
    found: list[Case] = []
    for case in sorted(cases, key=lambda c: (c.trade.market, c.trade.symbol, c.trade.opened_at)):
        if found:
            last = found[-1].trade
            is_same = (last.market, last.symbol) == (case.trade.market, case.trade.symbol)
            if not is_same or case.trade.opened_at - last.opened_at > NEAR:
                yield found
                found = []
        found.append(case)
    if found:
        yield found
