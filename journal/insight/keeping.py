"""Answers that are kept. Whoever looks gets what there is at once, and says whether it is of the
trades as they are now; if it is not, a worker is to be asked (`Kept.is_due`)."""

import copy
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from journal.filters import TradeFilter
from journal.insight import ids
from journal.insight.parts import PARTS
from journal.insight.question import Made, Place, Question
from journal.insight.versions import version_of
from journal.models import InsightPart, InsightTrades, Preferences
from journal.selectors.preferences import preferences_of
from market.jobs import locks

log = structlog.get_logger(__name__)

# A worker that says nothing for so long is asked again.
SILENT = timedelta(seconds=30)
# An answer so young is good enough: while history is read its trades change every few seconds.
CALM = timedelta(minutes=2)
MOST_TRIES = 3
KEPT_FOR = timedelta(days=14)
MOST_PARTS = 80
TOLD_EVERY = 1.0
BATCH = 200


@dataclass(frozen=True)
class Kept:
    """`is_fresh`: made of the trades as they are now; `is_recent`: of those of a moment ago.
    `is_due`: nobody is at it yet. `is_given_up`: it was begun in vain too often."""

    part: InsightPart
    is_fresh: bool = False
    is_recent: bool = False
    is_due: bool = False
    is_given_up: bool = False

    @property
    def answer(self) -> dict[str, Any] | None:
        """None before there is any."""
        found: dict[str, Any] | None = self.part.answer
        return found

    @property
    def is_computing(self) -> bool:
        return not (self.is_fresh or self.is_recent or self.is_given_up)

    @property
    def computed_at(self) -> datetime | None:
        return self.part.computed_at


def ask(user: User, name: str, trade_filter: TradeFilter, chosen: Preferences) -> Kept:
    """Raises KeyError for an unknown part. What is small is computed at once."""
    kind, now = PARTS[name], timezone.now()
    version = _version(user, name, chosen, now)
    part, _ = InsightPart.objects.get_or_create(
        user=user,
        name=name,
        question=_digest(trade_filter, chosen),
        defaults={"filters": trade_filter.query, "unit": chosen.unit},
    )
    if now - part.asked_at > timedelta(hours=1):
        InsightPart.objects.filter(pk=part.pk).update(asked_at=now)
    if part.version == version:
        return Kept(part, is_fresh=True)
    question = _question(part, user, chosen)
    if kind.at_once and len(question.trades.order_by()[: kind.at_once + 1]) <= kind.at_once:
        _save(part, kind.compute(question), version)
        return Kept(part, is_fresh=True)
    if part.computed_at is not None and now - part.computed_at < CALM:
        return Kept(part, is_recent=True)
    if part.tried_version == version and part.tries >= MOST_TRIES:
        return Kept(part, is_given_up=True)
    is_silent = part.beat_at is None or now - part.beat_at > SILENT
    if is_silent:
        InsightPart.objects.filter(pk=part.pk).update(beat_at=now)
    return Kept(part, is_due=is_silent)


def compute(part_id: int) -> bool:
    """By a worker; one at a part. False: another one is at it, or there is nothing to do."""
    with locks.held(f"journal:insight:{part_id}") as lock:
        part = InsightPart.objects.filter(pk=part_id).select_related("user").first()
        if lock is None or part is None or part.name not in PARTS:
            return False
        chosen, now = preferences_of(part.user), timezone.now()
        version = _version(part.user, part.name, chosen, now)
        is_retry = part.tried_version == version
        is_young = part.computed_at is not None and now - part.computed_at < CALM
        if part.version == version or is_young or (is_retry and part.tries >= MOST_TRIES):
            return False
        part.tries = part.tries + 1 if is_retry else 1
        part.tried_version, part.beat_at, part.done, part.expected = version, now, 0, 0
        part.save(update_fields=["tries", "tried_version", "beat_at", "done", "expected"])
        began = time.monotonic()
        made = PARTS[part.name].compute(_question(part, part.user, chosen))
        _save(part, made, version)
        log.info("insight computed", part=part.name, seconds=round(time.monotonic() - began, 1))
    _forget(part.user)
    return True


def trades_of(part: InsightPart, by: str, group: str) -> list[int] | None:
    """Ids, oldest closing first; None where the part has no such number."""
    row = InsightTrades.objects.filter(part=part, by=by, group=group).first()
    return None if row is None else ids.unpack(bytes(row.ids))


def _version(user: User, name: str, chosen: Preferences, now: datetime) -> str:
    """Of everything that a part is made of."""
    version, kind = version_of(user, chosen), PARTS[name]
    if not kind.hours and kind.also is None:
        return version
    slot = int(now.timestamp()) // (kind.hours * 3600) if kind.hours else 0
    also = kind.also(user) if kind.also else ""
    return hashlib.sha256(f"{version} {slot} {also}".encode()).hexdigest()


def _digest(trade_filter: TradeFilter, chosen: Preferences) -> str:
    told = json.dumps([trade_filter.query, chosen.unit], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _question(part: InsightPart, user: User, chosen: Preferences) -> Question:
    chosen = copy.copy(chosen)
    chosen.unit = part.unit
    told = time.monotonic()

    def tell(done: int, expected: int) -> None:
        nonlocal told
        if time.monotonic() - told < TOLD_EVERY:
            return
        told = time.monotonic()
        InsightPart.objects.filter(pk=part.pk).update(
            done=done, expected=expected, beat_at=timezone.now()
        )

    return Question(user, TradeFilter.parse(part.filters), chosen, tell)


@transaction.atomic
def _save(part: InsightPart, made: Made, version: str) -> None:
    """Nothing where the part is gone, with its user or as too old."""
    part.answer, part.version, part.computed_at = made.answer, version, timezone.now()
    part.tries = part.done = part.expected = 0
    part.beat_at = None
    names = ["answer", "version", "computed_at", "tries", "done", "expected", "beat_at"]
    is_there = InsightPart.objects.select_for_update().filter(pk=part.pk).exists()
    if not is_there:
        return
    part.save(update_fields=names)
    InsightTrades.objects.filter(part=part).delete()
    InsightTrades.objects.bulk_create(_sets(part, made.trades), batch_size=BATCH)


def _sets(part: InsightPart, trades: Mapping[Place, Sequence[int]]) -> list[InsightTrades]:
    return [
        InsightTrades(
            part=part, by=by[:40], group=group[:80], ids=ids.pack(members), count=len(members)
        )
        for (by, group), members in trades.items()
        if members
    ]


def _forget(user: User) -> None:
    """What nobody has looked at for long, and the oldest of too many."""
    mine = InsightPart.objects.filter(user=user)
    mine.filter(asked_at__lt=timezone.now() - KEPT_FOR).delete()
    old = mine.order_by("-asked_at").values_list("pk", flat=True)[MOST_PARTS:]
    mine.filter(pk__in=list(old)).delete()
