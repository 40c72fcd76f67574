"""A round of the planner: candles first, so that every fill has its total flow, then seconds around
entries, then bands by the cheapest source of each tape's day. Everything that a round has fetched
is kept, so a killed one is gone on with."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import connections
from django.utils import timezone

from journal.models import Fill, FillFlow, Market
from journal.planner import needs, pace
from journal.planner.choosing import Turn, lives_of
from journal.planner.needs import AGAIN_AFTER, NOT_TOLD, Life
from journal.planner.tapes import by_tape
from journal.stamps import stamping
from lib.dates import to_seconds
from lib.lazy import Lazy
from market.asking import candles, fetching
from market.binance.errors import ExchangeError, MustWait, Refused
from market.jobs import locks
from market.jobs.guarding import is_away
from market.models import Instrument
from market.past import store
from market.past.spans import Stretch, minus
from market.selectors import reading

if TYPE_CHECKING:
    from journal.planner import days
else:  # with polars, which only old fills need
    days = Lazy("journal.planner.days")

log = structlog.get_logger(__name__)

Stage = FillFlow.Stage
ROUND_SECONDS = 150.0
# Candles of many fills are few requests; bands are asked for a day at a time.
FILLS_A_BATCH = {Stage.TOTAL: 500, Stage.SECONDS: 100, Stage.BANDS: 100}
STAMPING_SECONDS = 120.0
# A market without work looks for some again after so long, while another works.
NEWS_SECONDS = 3.0
KIND = "candles"
# What it did not answer, after so long.
SOON = timedelta(minutes=2)
UNKNOWN_SYMBOL, NO_SECONDS = "unknown_symbol", "no_seconds"
INVALID_SYMBOL, INVALID_INTERVAL = -1121, -1120

IsToStop = Callable[[], bool]
Fetch = Callable[[Sequence[Fill], IsToStop], None]


def work_round(
    is_to_stop: IsToStop = lambda: False, stages: Sequence[Stage] = tuple(FILLS_A_BATCH)
) -> int:
    """Until the round's time is over, nothing is left of the stages or the exchange asks to wait.
    Each market has a budget of its own there, so neither waits for the other; one that has nothing
    to do looks for news while another works. Returns how many fills were looked at."""
    idle = dict.fromkeys(Market.values, False)
    with ThreadPoolExecutor(len(idle), thread_name_prefix="planner") as threads:
        parts = [threads.submit(_work_market, market, idle, stages, is_to_stop) for market in idle]
        return sum(part.result() for part in parts)


def _work_market(
    market: str, idle: dict[str, bool], stages: Sequence[Stage], is_to_stop: IsToStop
) -> int:
    until, count = monotonic() + ROUND_SECONDS, 0
    try:
        while monotonic() < until and not is_to_stop():
            try:
                done = _work_batch(market, stages, is_to_stop)
            except MustWait as reason:
                log.info("planner waits", market=market, seconds=round(reason.seconds))
                if not _wait(reason.seconds, until, is_to_stop):
                    break
                continue
            except ExchangeError as error:
                log.warning("planner goes on later", market=market, error=str(error))
                break
            count += done
            idle[market] = not done
            if not done and not _wait_for_news(idle, until, is_to_stop):
                break
    finally:
        idle[market] = True
        connections.close_all()
    return count


def _wait_for_news(idle: dict[str, bool], until: float, is_to_stop: IsToStop) -> bool:
    """Whether another market was at work all the while, and there is still time in the round."""
    ready = monotonic() + NEWS_SECONDS
    while monotonic() < min(ready, until) and not is_to_stop():
        if all(idle.values()):
            return False
        sleep(0.1)
    return monotonic() < until


def _wait(seconds: float, until: float, is_to_stop: IsToStop) -> bool:
    """Whether there is still time in the round."""
    ready = monotonic() + seconds
    if ready > until:
        return False
    while monotonic() < ready and not is_to_stop():
        sleep(0.2)
    return True


def _work_batch(market: str, stages: Sequence[Stage], is_to_stop: IsToStop) -> int:
    """The first stage that somebody waits for. Raises ExchangeError; what came is kept."""
    now = timezone.now()
    begun = monotonic()
    fetches: dict[Stage, Fetch] = {
        Stage.TOTAL: _fetch_minutes,
        Stage.SECONDS: _fetch_seconds,
        Stage.BANDS: _fetch_bands,
    }
    for stage, fetch in fetches.items():
        if stage not in stages:
            continue
        fills = Turn(stage, market, now, since=_since(stage, now)).fills(FILLS_A_BATCH[stage])
        if not fills:
            continue
        problem: Exception | None = None
        try:
            fetch(fills, is_to_stop)
        except Exception as error:
            if is_away(error):
                raise
            problem = error
        finally:
            _stamp(is_to_stop)
        if problem is not None:  # after the stamps, which look at every row of the fills
            if isinstance(problem, MustWait):
                raise problem
            _later(fills, stage, problem)
            if isinstance(problem, ExchangeError):
                raise problem
            return len(fills)
        if not is_to_stop():
            _refuse_what_stands(fills, stage, NOT_TOLD)
            pace.note(market, stage, len(fills), monotonic() - begun)
        return len(fills)
    return 0


def _later(fills: Sequence[Fill], stage: Stage, error: Exception) -> None:
    """The others have their turn meanwhile."""
    is_silence = isinstance(error, ExchangeError)
    if not is_silence:
        log.error("fills set aside", fills=len(fills), stage=str(stage), exc_info=error)
    mine = FillFlow.objects.filter(fill__in=[fill.pk for fill in fills], stage=stage)
    mine.update(again_at=timezone.now() + (SOON if is_silence else AGAIN_AFTER))


def _since(stage: Stage, now: datetime) -> datetime | None:
    """Bands are asked for as far back as the setting says; candles for the whole history."""
    if stage != Stage.BANDS:
        return None
    return needs.oldest_of(now, settings.FLOW_BACKFILL_DAYS)


def _stamp(is_to_stop: IsToStop) -> None:
    """Whoever stamps just now is waited for: the round looks at what came of it."""
    until = monotonic() + STAMPING_SECONDS
    while monotonic() < until and not is_to_stop():
        with locks.held(stamping.LOCK) as lock:
            if lock is not None:
                while stamping.stamp_due() and not lock.is_lost and not is_to_stop():
                    pass
                return
        sleep(0.2)


def _refuse_what_stands(fills: Sequence[Fill], stage: Stage, reason: str) -> None:
    """Everything was tried for these, and they are where they were: not again for a day. Candles
    with holes, and those of seconds, are a detour only: without them the bands are next."""
    standing = FillFlow.objects.filter(fill__in=[fill.pk for fill in fills], stage=stage)
    if stage == Stage.SECONDS:
        standing.update(stage=Stage.BANDS)
        return
    if stage == Stage.TOTAL:
        ids = set(standing.filter(refused="").values_list("fill_id", flat=True))
        partly = _known_in_part([fill for fill in fills if fill.pk in ids])
        FillFlow.objects.filter(fill__in=partly, stage=stage).update(stage=Stage.BANDS)
    standing.filter(refused="").update(refused=reason)
    standing.update(again_at=timezone.now() + AGAIN_AFTER)


def _known_in_part(fills: Sequence[Fill]) -> list[int]:
    """Fills with a candle in their windows: their market was there, whatever its candles lack."""
    return [
        fill.pk
        for instrument, mine in by_tape(fills)
        for fill in mine
        if store.known(
            instrument.pk, store.MINUTE, to_seconds(fill.time) - needs.BEFORE, to_seconds(fill.time)
        )
    ]


# --- candles ------------------------------------------------------------------------------------


def _fetch_bands(fills: Sequence[Fill], is_to_stop: IsToStop) -> None:
    days.fetch(fills, is_to_stop)


def _fetch_minutes(fills: Sequence[Fill], is_to_stop: IsToStop) -> None:
    lives = lives_of(list(fills))
    for instrument, mine in by_tape(fills):
        own, times = _own(mine, lives)
        hours = needs.hours_of(own, times)
        _fetch(instrument, mine, store.HOUR, hours, is_to_stop)
        _fetch(instrument, mine, store.MINUTE, needs.minutes_of(own, times), is_to_stop)


def _fetch_seconds(fills: Sequence[Fill], is_to_stop: IsToStop) -> None:
    lives = lives_of(list(fills))
    for instrument, mine in by_tape(fills):
        own, times = _own(mine, lives)
        _fetch(instrument, mine, store.SECOND, needs.seconds_of(own, times), is_to_stop)


def _own(fills: Sequence[Fill], lives: dict[int, list[Life]]) -> tuple[list[Life], list[int]]:
    times = [to_seconds(fill.time) for fill in fills]
    return list({id(life): life for f in fills for life in lives.get(f.pk, [])}.values()), times


def _fetch(
    instrument: Instrument,
    fills: Sequence[Fill],
    grain: int,
    wanted: Sequence[Stretch],
    is_to_stop: IsToStop,
) -> None:
    """Raises ExchangeError but for what the exchange refuses for good, which is told."""
    left = minus(candles.left(instrument, grain, wanted), _in_tape(instrument, grain, wanted))
    requests = fetching.requests_for(instrument.market, grain, left)
    try:
        asyncio.run(fetching.fetch_candles(instrument, grain, requests[::-1], KIND, is_to_stop))
    except Refused as error:
        log.warning("candles refused", tape=str(instrument.key), error=str(error))
        reason = UNKNOWN_SYMBOL if error.code == INVALID_SYMBOL else f"exchange {error.code}"
        FillFlow.objects.filter(fill__in=[fill.pk for fill in fills]).exclude(
            stage=Stage.DONE
        ).update(refused=reason)


def _in_tape(instrument: Instrument, grain: int, wanted: Sequence[Stretch]) -> list[Stretch]:
    """What the tape has whole, in whole steps."""
    if not wanted or grain == store.SECOND:
        return []
    return [
        (-(-first // 1000 // grain) * grain, last // 1000 // grain * grain)
        for first, last in reading.covered_times(instrument)
        if last - first > 2000 * grain
    ]
