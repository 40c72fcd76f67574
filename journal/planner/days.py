"""Bands of a tape's day, from whichever source costs least; the next one where it fails."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from journal.models import Fill, FillFlow, FlowDay
from journal.planner import costs, needs
from journal.planner.costs import Offer
from journal.planner.needs import AGAIN_AFTER, NOT_TOLD
from journal.planner.tapes import by_tape
from lib.dates import from_seconds, to_seconds
from market.asking import aggregates, dayfile, fetching
from market.binance.budgets import WEIGHTS_A_MINUTE
from market.binance.errors import Refused
from market.binance.governor import SHARES
from market.collector import backfill
from market.jobs.database import DatabaseThread
from market.models import Instrument
from market.past import store
from market.past.spans import Stretch, minus
from market.vision.files import OFFICIAL_URL, NotThere, Wanted
from market.vision.kinds import Damaged, Kind

log = structlog.get_logger(__name__)

KIND = "past"
State = FlowDay.State


@dataclass
class Work:
    """A tape's day: the stretches (epoch s) that fills need of it."""

    instrument: Instrument
    day: int
    stretches: list[Stretch]
    fills: int
    notes: list[str] = field(default_factory=list)

    @property
    def date(self) -> date:
        return from_seconds(self.day).date()


def fetch(fills: Sequence[Fill], is_to_stop: Callable[[], bool]) -> None:
    """The days of these fills, each for all fills that wait for it, whoever's they are. Raises
    MustWait and TryAgain; days that came are kept."""
    for instrument, mine in by_tape(fills):
        days = set(needs.by_day(needs.bands_of(to_seconds(fill.time) for fill in mine)))
        times = _waiting(instrument, days).values_list("time", flat=True)
        for work in works_of(instrument, sorted({to_seconds(time) for time in times})):
            if is_to_stop():
                return
            if work.day in days:
                _fetch_day(work, is_to_stop)


def _waiting(instrument: Instrument, days: Collection[int]) -> QuerySet[Fill]:
    """All fills that wait for bands of these days (their first second)."""
    inside = Q()
    for day in days:
        first, last = from_seconds(day), from_seconds(day + store.DAY + needs.BEFORE)
        inside |= Q(time__gte=first - timedelta(seconds=needs.BEHIND), time__lt=last)
    return Fill.objects.filter(
        inside,
        account__venue=instrument.venue,
        market=instrument.market,
        symbol=instrument.symbol,
        flow__stage=FillFlow.Stage.BANDS,
    )


def works_of(instrument: Instrument, times: Sequence[int]) -> list[Work]:
    """Newest day first, without what is known in bands."""
    works = []
    for day, stretches in needs.by_day(needs.bands_of(times)).items():
        start, end = stretches[0][0], stretches[-1][1]
        known = store.known(instrument.pk, store.SECOND, start, end, instrument.key.detail)
        left = minus(stretches, known)
        if left:
            inside = sum(1 for at in times if day <= at < day + store.DAY)
            works.append(Work(instrument, day, left, inside))
    return sorted(works, key=lambda work: -work.day)


def _fetch_day(work: Work, is_to_stop: Callable[[], bool]) -> None:
    offers = offers_for(work)
    for offer in offers:
        try:
            _take(work, offer, is_to_stop)
        except (NotThere, Damaged, aggregates.NotWhole, Refused) as error:
            log.warning(
                "source failed",
                tape=str(work.instrument.key),
                source=offer.source,
                error=str(error),
            )
            work.notes.append(f"{offer.source}: {error}")
        except OSError as error:  # the archive's host
            log.warning("archive away", tape=str(work.instrument.key), error=str(error))
            work.notes.append(f"{offer.source}: {error}")
        else:
            _record(work, State.DONE, offer)
            return
    if not work.notes:
        work.notes.append("no source tells this day any more, or not yet")
    _record(work, State.REFUSED, None)
    # none of the day's other fills asks for it again today
    fills = _waiting(work.instrument, [work.day]).values("pk")
    FillFlow.objects.filter(fill__in=fills, stage=FillFlow.Stage.BANDS).update(
        refused=NOT_TOLD, again_at=timezone.now() + AGAIN_AFTER
    )


def offers_for(work: Work) -> list[Offer]:
    """Cheapest first."""
    key = work.instrument.key
    now = timezone.now()
    budget = WEIGHTS_A_MINUTE["fapi" if key.market == "usdm" else "api"]
    share = budget * settings.WEIGHT_BUDGET_PCT / 100 * SHARES[KIND] / 60
    age = now - from_seconds(work.stretches[0][0])
    wants_trades = settings.FLOW_UNIT == "trade"
    offers = costs.rest_offers(key.market, _trades(work), age, share, wants_trades=wants_trades)
    ended = now - from_seconds(work.day + store.DAY)
    if may_read_files() and costs.may_have_file(ended) and costs.is_worth_a_look(offers):
        try:
            size = dayfile.measure(_item(work))
        except NotThere:
            work.notes.append("file: the archive does not have it")
        except OSError as error:
            work.notes.append(f"file: {error}")
        else:
            offers.append(costs.file_offer(size))
    return costs.cheapest_first(offers)


def may_read_files() -> bool:
    """Binance's own archive does not belong to another venue's tapes."""
    return settings.VENUE == "binance" or settings.BINANCE_VISION_URL != OFFICIAL_URL


def _item(work: Work) -> Wanted:
    wants_trades = settings.FLOW_UNIT == "trade" and work.instrument.market == "spot"
    kind: Kind = "trades" if wants_trades else "aggTrades"
    return dayfile.wanted(work.instrument, work.date, kind)


def _trades(work: Work) -> list[int]:
    """How many were traded in each stretch, by its minutes where they are known."""
    start, end = work.stretches[0][0] // 60 * 60, work.stretches[-1][1]
    minutes = store.load(work.instrument.pk, store.MINUTE, start, end)
    counts = []
    for first, last in work.stretches:
        inside = range(first // 60 * 60, last, 60)
        known = [minutes[at].trades for at in inside if at in minutes]
        guess = (len(inside) - len(known)) * costs.TRADES_A_MINUTE
        counts.append(sum(known) + (guess if not known else 0))
    return counts


def _take(work: Work, offer: Offer, is_to_stop: Callable[[], bool]) -> None:
    """Raises what the source raises; MustWait and TryAgain go up."""
    if offer.source == "file":
        known = dayfile.fetch(work.instrument, _item(work), work.stretches)
        if known < store.DAY // store.MINUTE:
            work.notes.append(f"file: {store.DAY // store.MINUTE - known} minutes are not whole")
        return
    if offer.source == "trades":
        for start, end in work.stretches:
            if not asyncio.run(
                backfill.fetch(work.instrument, start * 1000, end * 1000, is_to_stop)
            ):
                raise aggregates.NotWhole("the exchange does not know all of it by id")
        return
    asyncio.run(_take_aggregates(work))


async def _take_aggregates(work: Work) -> None:
    database = DatabaseThread()
    try:
        async with fetching.exchange(work.instrument.market) as rest:
            for stretch in work.stretches:
                bars = await aggregates.ask(rest, work.instrument, stretch, KIND)
                poor = await database.run(aggregates.keep, work.instrument, stretch, bars)
                if poor:
                    work.notes.append(f"aggregates: {len(poor)} minutes differ from their candles")
    finally:
        database.close(wait=True)


def _record(work: Work, state: FlowDay.State, offer: Offer | None) -> None:
    key = work.instrument.key
    FlowDay.objects.update_or_create(
        venue=key.venue,
        market=key.market,
        symbol=key.symbol,
        day=work.date,
        defaults={
            "state": state,
            "source": offer.source if offer else "",
            "note": "; ".join(work.notes)[:1000],
            "weight": offer.weight if offer else 0,
            "size": offer.size if offer else 0,
            "fills": work.fills,
        },
    )
