"""Order flow on fills and trades: stamped when they are due, from the best bars there are, and
again when better ones come. Where nothing is known nothing is said."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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
    # killed between the two it is heard once more, which changes nothing
    for (market, symbol), items in together.items():
        for start, end in _joined(items):
            _make_due(market, symbol, start, end, now)
    PastNews.objects.filter(pk__in=[item.pk for item in news]).delete()


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
    touched: list[int] = []
    if asleep:
        taken, due = take_over(due)
        touched += [fill.pk for fill in taken]
    for group in _groups([(fill.market, fill.symbol, fill.time, fill) for fill in due]):
        market, symbol = group[0].market, group[0].symbol
        around = Around.of(market, symbol, group[0].time - LONGEST_WINDOW, group[-1].time)
        entries = _entries(group)
        for fill in group:
            with _apart(f"fill {fill.pk}") as is_well, transaction.atomic():
                if is_well:
                    _stamp_fill(around, fill, is_entry=fill.pk in entries)
                    touched.append(fill.pk)
                else:
                    _look_later(fill)
    Trade.objects.filter(fills__in=touched, kind=Trade.Kind.TRADE).mark(stamp_due_at=timezone.now())
    return len(touched)


def _stamp_fill(around: Around | None, fill: Fill, *, is_entry: bool) -> None:
    now = timezone.now()
    made = FillFlow(fill=fill, stamped_at=now) if around is None else fills.stamp(around, fill)
    before = trades.flow_of(fill)
    is_young = fill.time > now - SETTLED_AFTER
    made.stage = stage_of(made.basis, fill.market, is_entry=is_entry)
    if fills.NOT_KNOWN in made.why.values():
        made.stage = FillFlow.Stage.TOTAL
    if before is not None and before.stage == made.stage:  # nothing better came
        made.refused, made.again_at = before.refused, before.again_at
    if is_young:  # its bars are on the way
        made.again_at = fill.time + SETTLED_AFTER
    FillFlow.objects.bulk_create(
        [made], update_conflicts=True, unique_fields=["fill"], update_fields=KEPT
    )
    Fill.objects.filter(pk=fill.pk).update(flow_due_at=now + AGAIN_AFTER if is_young else None)


def _look_later(fill: Fill) -> None:
    Fill.objects.filter(pk=fill.pk).update(flow_due_at=timezone.now() + AGAIN_AFTER)


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
        for trade in group:
            with _apart(f"trade {trade.pk}") as is_well, transaction.atomic():
                trade.stamp_due_at = timezone.now() + AGAIN_AFTER if not is_well else None
                if is_well and around is not None and trade.market in Market.values:
                    trades.stamp(around, trade)
                # where it was built anew meanwhile, nothing is there to be written on
                written = {name: getattr(trade, name) for name in trades.WRITTEN}
                Trade.objects.filter(pk=trade.pk).update(**written)
                count += is_well
    TradesVersion.objects.raise_for(changed)
    return count


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
