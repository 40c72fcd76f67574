"""What staff wants to know of this installation: each state is 1 while it is so, else 0."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from alerts.conditions.kinds import SYSTEM_STATES, Scope
from alerts.evaluation import rows
from alerts.evaluation.values import Values
from alerts.services.firing import Told
from journal.models import Sync
from market.archive.installed import installed_at
from market.binance import governor
from market.binance.budgets import WEIGHTS_A_MINUTE
from market.hot.client import hot_client
from market.models import Gap, Instrument
from market.selectors.backups import standing
from market.selectors.status import tape_statuses

EVERY_SECONDS = 15.0
SILENT_S = 60.0
GAP_OPEN_FOR = timedelta(minutes=2)
SYNC_STANDS_FOR = timedelta(minutes=30)
CLOCK_OFF_MS = 1000
LEAST_FREE_SHARE = 0.1
BACKUP_OLD_S = 26 * 3600.0
LONG_QUEUE = 200
QUEUES = ("celery", "collectors", "listeners", "sync", "upkeep", "imports", "retention")
WEIGHT_SHARE = 0.9


class System:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values = Values()
        self._looked_at = float("-inf")

    def round(self) -> None:
        """Look once, if it is time. Raises RedisError, DatabaseError."""
        if self._clock() - self._looked_at < EVERY_SECONDS:
            return
        self._looked_at = self._clock()
        staff = set(User.objects.filter(is_staff=True).values_list("pk", flat=True))
        its_rows = [row for row in rows.of_scopes(Scope.SYSTEM) if row.user_id in staff]
        standing = self._values.keep([as_threshold(row) for row in its_rows])
        if not standing:
            return
        problems = look()
        at_ms = int(time.time() * 1000)
        for row in standing:
            wanted = row.condition.get("state")
            mine = [f"{name}: {what}" for name, what in problems.items() if wanted in {None, name}]
            facts = {"what": "; ".join(mine) or "-", "path": "/status/"}
            self._values.feed(row, Decimal(bool(mine)), at_ms, partial(_told, at_ms, facts))


def _told(at_ms: int, facts: dict[str, str], text: str) -> Told:
    """The number says nothing that the words do not."""
    return Told(at_ms, "", facts)


def as_threshold(row: rows.Row) -> rows.Row:
    """Something is wrong or it is not."""
    return replace(row, condition={**row.condition, "above": "1"})


def look() -> dict[str, str]:
    """State -> what is wrong, of those that are not well."""
    looks: dict[str, Callable[[], str]] = {
        "feed_silent": _feed_silent,
        "gap_open": _gap_open,
        "sync_stands": _sync_stands,
        "key_refused": _key_refused,
        "disk": _disk,
        "backup_old": _backup_old,
        "clock": _clock_off,
        "queue": _queue,
        "weight": _weight,
    }
    assert set(looks) == set(SYSTEM_STATES)
    return {name: what for name, find in looks.items() if (what := find())}


def _feed_silent() -> str:
    followed = list(Instrument.objects.filter(venue=settings.VENUE, is_followed=True))
    late = [
        status.instrument.symbol
        for status in tape_statuses(followed)
        if status.lag_s is not None and status.lag_s > SILENT_S and not status.not_traded
    ]
    return f"{len(late)} ({late[0]})" if late else ""


def _gap_open() -> str:
    old = timezone.now() - GAP_OPEN_FOR
    count = Gap.objects.filter(
        state=Gap.State.OPEN, instrument__venue=settings.VENUE, created_at__lt=old
    ).count()
    return str(count) if count else ""


def _sync_stands() -> str:
    live = Sync.objects.filter(account__venue=settings.VENUE, account__state="live")
    old = timezone.now() - SYNC_STANDS_FOR
    stands = live.exclude(state=Sync.State.COMPLETE).filter(started_at__lt=old, until__lt=old)
    count = live.filter(state=Sync.State.FAILED).count() + stands.count()
    return str(count) if count else ""


def _key_refused() -> str:
    broken = ExchangeAccount.objects.here().filter(state=ExchangeAccount.State.BROKEN)
    count = broken.count()
    return str(count) if count else ""


def _disk() -> str:
    used = shutil.disk_usage(settings.DATA_DIR)
    share = used.free / used.total
    return f"{share:.0%} free" if share < LEAST_FREE_SHARE else ""


def _backup_old() -> str:
    """Also told when the schedule is off: then something else makes them, in BACKUP_DIR."""
    made_at = standing().made_at
    if made_at is None:
        is_expected = time.time() - installed_at().timestamp() > BACKUP_OLD_S
        return "none" if is_expected else ""
    hours = (time.time() - made_at) / 3600
    return f"{hours:.0f} h" if hours * 3600 > BACKUP_OLD_S else ""


def _clock_off() -> str:
    offset: Any = hot_client().get(governor.clock_key(settings.BINANCE_SPOT_API_URL))
    is_off = offset is not None and abs(float(offset)) > CLOCK_OFF_MS
    return f"{float(offset):.0f} ms" if is_off else ""


def _queue() -> str:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    client = hot_client()
    lengths: dict[str, Any] = {name: client.llen(f"{prefix}{name}") for name in QUEUES}
    name = max(lengths, key=lambda queue: lengths[queue])
    return f"{name} {lengths[name]}" if lengths[name] > LONG_QUEUE else ""


def _weight() -> str:
    key = governor.count_key(settings.BINANCE_SPOT_API_URL)
    used: Any = hot_client().get(f"{key}{int(time.time() // 60)}")
    most = WEIGHTS_A_MINUTE["api"] * settings.WEIGHT_BUDGET_PCT / 100
    return f"{int(used)} of {most:.0f}" if used and int(used) > WEIGHT_SHARE * most else ""
