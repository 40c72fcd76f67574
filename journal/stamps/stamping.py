"""Order flow on fills and trades: stamped when they are due, from the best bars there are, and
again when better ones come. Where nothing is known nothing is said."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from journal.models import Fill, FillFlow, Market, Trade, TradeFill, TradesVersion
from journal.models.guests import accounts_asleep
from journal.stamps import fills, trades
from journal.stamps.around import Around
from journal.stamps.copies import KEPT, take_over, take_over_trades
from journal.stamps.stages import stage_of
from lib.dates import from_seconds
from lib.parking import Parking
from market.jobs.guarding import be_impatient, is_locked
from market.models import PastNews

log = structlog.get_logger(__name__)

LOCK = "journal:stamping"
# Bars may still change for so long: late trades are filled within seconds, gaps within minutes.
SETTLED_AFTER = timedelta(minutes=3)
AGAIN_AFTER = timedelta(seconds=30)
LONGEST_WINDOW = timedelta(seconds=fills.LONGEST)
AFTER_EXIT = timedelta(hours=1)
FILLS_A_ROUND = 300
TRADES_A_ROUND = 100
NEWS_A_ROUND = 500
# Far from one another in time they share no bars; a chain of near ones ends.
NEAR, LONGEST_GROUP = timedelta(days=2), timedelta(days=7)
Row = TypeVar("Row")
Owned = TypeVar("Owned", Fill, Trade)
_parked = Parking(first=60.0, longest=86_400.0)


def stamp_due(*, asleep: bool = False) -> int:
    """Everything that can be stamped now, so many a round. Returns how many were. `asleep`: instead
    of what somebody looks at, the copies of the demo that nobody has yet."""
    _hear_news()
    return _stamp_fills(asleep=asleep) + _stamp_trades(asleep=asleep)


def _hear_news() -> None:
    """What has come to be known makes the fills and trades in it due."""
    news = list(
        PastNews.objects.filter(instrument__venue=settings.VENUE).select_related("instrument")[
            :NEWS_A_ROUND
        ]
    )
    if not news:
        return
    now = timezone.now()
    together: dict[tuple[str, str], list[PastNews]] = {}
    for item in news:
        together.setdefault((item.instrument.market, item.instrument.symbol), []).append(item)
    heard: list[int] = []
    # killed between the two it is heard once more, which changes nothing
    for (market, symbol), items in together.items():
        try:
            with transaction.atomic():
                be_impatient()
                for start, end in _joined(items):
                    _make_due(market, symbol, start, end, now)
        except OperationalError as error:
            if not is_locked(error):
                raise
            continue  # a book is being built, say: heard with the next round
        heard += [item.pk for item in items]
    PastNews.objects.filter(pk__in=heard).delete()


def _make_due(market: str, symbol: str, start: datetime, end: datetime, now: datetime) -> None:
    Fill.objects.filter(
        account__venue=settings.VENUE,
        market=market,
        symbol=symbol,
        time__gte=start,
        time__lte=end + LONGEST_WINDOW,
    ).exclude(flow__stage=FillFlow.Stage.DONE).update(flow_due_at=now)
    unknown = Q(worst=None) | Q(worst_to__isnull=False) | Q(after_1h=None)
    Trade.objects.filter(
        Q(closed_at=None) | Q(closed_at__gte=start - AFTER_EXIT),
        unknown,
        account__venue=settings.VENUE,
        kind=Trade.Kind.TRADE,
        market=market,
        symbol=symbol,
        opened_at__lte=end,
    ).mark(stamp_due_at=now)


def _joined(news: Iterable[PastNews]) -> list[tuple[datetime, datetime]]:
    spans: list[tuple[int, int]] = []
    for start, end in sorted((item.start, item.end) for item in news):
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return [(from_seconds(start), from_seconds(end)) for start, end in spans]


# --- fills --------------------------------------------------------------------------------------


def _stamp_fills(*, asleep: bool) -> int:
    fills_due = (
        Fill.objects.filter(account__venue=settings.VENUE, flow_due_at__lte=timezone.now())
        .select_related("flow")
        .order_by("-time")
    )
    due = _some(fills_due, FILLS_A_ROUND, asleep=asleep)
    count = 0
    if asleep:
        taken, due = take_over(due)
        count = len(taken)
        _make_trades_due(taken)
    for group in _groups([(fill.market, fill.symbol, fill.time, fill) for fill in due]):
        market, symbol = group[0].market, group[0].symbol
        around = Around.of(market, symbol, group[0].time - LONGEST_WINDOW, group[-1].time)
        entries = _entries(group)
        made: list[FillFlow] = []
        later: list[Fill] = []
        for fill in group:
            with _apart(f"fill {fill.pk}") as is_well:
                if is_well:
                    made.append(_flow_of(around, fill, is_entry=fill.pk in entries))
                else:
                    later.append(fill)
        _look_later(later)
        written = _write("fill", made, _write_flows, lambda flow: flow.fill_id)
        count += len(written)
    return count


def _make_trades_due(stamped: Sequence[Fill]) -> None:
    due = Trade.objects.filter(fills__in=stamped, kind=Trade.Kind.TRADE)
    due.mark(stamp_due_at=timezone.now())


def _flow_of(around: Around | None, fill: Fill, *, is_entry: bool) -> FillFlow:
    now = timezone.now()
    made = FillFlow(fill=fill, stamped_at=now) if around is None else fills.stamp(around, fill)
    before = trades.flow_of(fill)
    made.stage = stage_of(made.basis, fill.market, is_entry=is_entry)
    if fills.NOT_KNOWN in made.why.values():
        made.stage = FillFlow.Stage.TOTAL
    if before is not None and before.stage == made.stage:  # nothing better came
        made.refused, made.again_at = before.refused, before.again_at
    if _is_young(fill):  # its bars are on the way
        made.again_at = fill.time + SETTLED_AFTER
    return made


def _is_young(fill: Fill) -> bool:
    return fill.time > timezone.now() - SETTLED_AFTER


def _write_flows(flows: Sequence[FillFlow]) -> list[FillFlow]:
    """And what is due by it: the fills' trades. Within a transaction. Fills that a file is just
    replacing, or of a trade that is being built anew, stay due, and nobody else waits for it."""
    told = Fill.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    told = told.filter(pk__in=[flow.fill_id for flow in flows]).order_by("pk")
    there = set(told.values_list("pk", flat=True))
    flows = [flow for flow in flows if flow.fill_id in there]
    parts = TradeFill.objects.filter(
        fill__in=[flow.fill_id for flow in flows], trade__kind=Trade.Kind.TRADE
    ).values_list("fill_id", "trade_id")
    free = Trade.objects.filter(pk__in={trade for _fill, trade in parts}).locked_where_free()
    waiting = {fill for fill, trade in parts if trade not in free}
    written = [flow for flow in flows if flow.fill_id not in waiting]
    FillFlow.objects.bulk_create(
        written, update_conflicts=True, unique_fields=["fill"], update_fields=KEPT
    )
    young = [flow.fill for flow in written if _is_young(flow.fill)]
    _look_later(young)
    settled = {flow.fill_id for flow in written} - {fill.pk for fill in young}
    Fill.objects.filter(pk__in=settled).update(flow_due_at=None)
    due = {trade for fill, trade in parts if fill not in waiting}
    Trade.objects.filter(pk__in=due).mark(stamp_due_at=timezone.now())
    return written


def _look_later(later: Sequence[Fill]) -> None:
    if later:
        due_at = timezone.now() + AGAIN_AFTER
        Fill.objects.filter(pk__in=[fill.pk for fill in later]).update(flow_due_at=due_at)


def _entries(group: Sequence[Fill]) -> set[int]:
    rows = TradeFill.objects.filter(fill__in=[fill.pk for fill in group], is_entry=True)
    return set(rows.values_list("fill_id", flat=True))


# --- trades -------------------------------------------------------------------------------------


def _stamp_trades(*, asleep: bool) -> int:
    trades_due = (
        Trade.objects.filter(account__venue=settings.VENUE, stamp_due_at__lte=timezone.now())
        .prefetch_related("trade_fills__fill__flow")
        .order_by("-opened_at")
    )
    due = _some(trades_due, TRADES_A_ROUND, asleep=asleep)
    changed = {row.account_id for row in due if row.closed_at is not None}
    count = 0
    if asleep:
        taken, due = take_over_trades(due)
        count = len(taken)
    for group in _groups([(row.market, row.symbol, row.opened_at, row) for row in due]):
        around = Around.of(
            group[0].market,
            group[0].symbol,
            group[0].opened_at - LONGEST_WINDOW,
            max(row.closed_at or timezone.now() for row in group) + AFTER_EXIT,
        )
        since = {trade.pk: trade.stamp_due_at for trade in group}
        stamped: list[Trade] = []
        ill: set[int] = set()
        for trade in group:
            with _apart(f"trade {trade.pk}") as is_well:
                trade.stamp_due_at = timezone.now() + AGAIN_AFTER if not is_well else None
                if not is_well:
                    ill.add(trade.pk)
                elif around is not None and trade.market in Market.values:
                    trades.stamp(around, trade)
                stamped.append(trade)
        write = partial(trades.write, due=since)
        written = _write("trade", stamped, write, lambda trade: trade.pk)
        count += len({trade.pk for trade in written} - ill)
    TradesVersion.objects.raise_for(changed)
    return count


def _write(
    what: str,
    rows: Sequence[Row],
    write: Callable[[Sequence[Row]], list[Row]],
    key_of: Callable[[Row], int],
) -> list[Row]:
    """All at once, since one after the other takes ten times as long; one after the other where
    one of them cannot be written. Returns those that were."""
    if not rows:
        return []
    try:
        with transaction.atomic():
            return write(rows)
    except OperationalError:  # nobody is ill
        raise
    except Exception:
        log.exception("written one after the other", what=what, rows=len(rows))
    written: list[Row] = []
    for row in rows:
        with _apart(f"{what} {key_of(row)}") as is_well, transaction.atomic():
            written += write([row]) if is_well else []
    return written


def _some(due: QuerySet[Owned], most: int, *, asleep: bool) -> list[Owned]:
    accounts = list(accounts_asleep().values_list("pk", flat=True))
    is_asleep = Q(account__in=accounts)
    return list(due.filter(is_asleep if asleep else ~is_asleep)[:most])


def _groups(rows: Iterable[tuple[str, str, datetime, Row]]) -> Iterator[list[Row]]:
    """Of one tape and near in time, oldest first in each."""
    group: list[Row] = []
    place: tuple[str, str, datetime] | None = None
    begun = datetime.min.replace(tzinfo=UTC)
    for market, symbol, time, row in sorted(rows, key=lambda item: item[:3]):
        is_near = (
            place is not None
            and (market, symbol) == place[:2]
            and time - place[2] < NEAR
            and time - begun < LONGEST_GROUP
        )
        if not is_near:
            begun = time
        if group and not is_near:
            yield group
            group = []
        group.append(row)
        place = market, symbol, time
    if group:
        yield group


@contextmanager
def _apart(name: str) -> Iterator[bool]:
    """False while it is parked: a row that cannot be stamped holds nobody else's up."""
    if _parked.is_parked(name):
        yield False
        return
    try:
        yield True
    except OperationalError:  # nobody is ill
        raise
    except Exception:
        pause = _parked.park(name)
        log.exception("stamp set aside", name=name, again_in=pause)
    else:
        _parked.clear(name)
