"""The journal's Celery tasks: ids go in; each calls one service."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Semaphore
from time import monotonic

import structlog
from celery import Task, shared_task
from celery.exceptions import Reject
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import ExchangeAccount, User
from accounts.tasks import check_soon
from journal.books import settling
from journal.filters import TradeFilter
from journal.insight import keeping
from journal.models import FillFlow, Preferences, Sync, Upload
from journal.models.guests import LABEL, accounts_asleep
from journal.planner import rounds
from journal.services import (
    cleaning,
    demo,
    demo_notes,
    exports,
    guests,
    importing,
    snapshots,
    undoing,
    watching,
)
from journal.stamps import stamping
from journal.stream import listening
from journal.sync.doorkeeping import Busy
from journal.sync.running import synchronise
from lib.parking import Parking
from market.binance.errors import ExchangeError
from market.jobs import lease, locks
from market.jobs.guarding import each, in_turn
from market.jobs.shutdown import shutdown

log = structlog.get_logger(__name__)

State = Sync.State
# A history that is complete is looked at again: seldom where the user streams tell what happens
# meanwhile, often where they are not heard.
AGAIN_AFTER = timedelta(hours=1)
UNHEARD_AGAIN_AFTER = timedelta(minutes=10)
HEARD_FOR = timedelta(minutes=2)
STAMPING_SECONDS = 30.0
# the lock of the one worker that plans
PLANNER = "journal:planner"
# What the stream cannot tell in full is asked for soon, many at once.
SOON_AFTER = timedelta(seconds=20)
AFTER_FAILURE = timedelta(minutes=2)
# Histories that one process reads at once, since each may take hours: the other threads are for
# what else it does. Who has to wait is asked for again.
READ_AT_ONCE = 4
_reading = Semaphore(READ_AT_ONCE)
# How often a file is tried again while another one is at its account's history, and after how long.
TURNS, TURN_SECONDS = 200, 3
# users whose demo could not be reviewed
parked = Parking()
# between two rounds of what nobody looks at yet, and of what was not there the last time
resting = Parking(first=60.0, longest=60.0)
PLANNER_RESTS = 30.0
ASLEEP = "asleep"


@shared_task(name="journal.synchronise")
def synchronise_account(account_id: str) -> None:
    if not _reading.acquire(blocking=False):
        return
    try:
        synchronise(account_id, shutdown.is_set)
    finally:
        _reading.release()


@shared_task(name="journal.supervise")
def supervise() -> None:
    """Every few seconds: read what was never read, what was stopped, what is due again."""
    now = timezone.now()
    live = ExchangeAccount.objects.here().filter(state=ExchangeAccount.State.LIVE)
    # what nobody looks at is read when somebody does
    asleep = accounts_asleep().filter(sync__state=State.COMPLETE)
    due = (
        live.exclude(api_key=b"")
        .exclude(pk__in=asleep.values("pk"))
        .filter(
            Q(sync=None)
            | Q(sync__state__in=[State.WAITING, State.RUNNING])
            | Q(sync__state=State.COMPLETE, sync__finished_at__lt=now - AGAIN_AFTER)
            | Q(
                ~Q(sync__heard_at__gt=now - HEARD_FOR),
                sync__state=State.COMPLETE,
                sync__finished_at__lt=now - UNHEARD_AGAIN_AFTER,
            )
            | Q(
                sync__is_due=True,
                sync__state=State.COMPLETE,
                sync__finished_at__lt=now - SOON_AFTER,
            )
            | Q(sync__state=State.FAILED, sync__started_at__lt=now - AFTER_FAILURE)
        )
    )
    for pk in due.filter(Q(sync=None) | Q(sync__until=None) | Q(sync__until__lt=now)).values_list(
        "pk", flat=True
    ):
        synchronise_account.apply_async((str(pk),), expires=15)
    if live.exists() and not lease.is_held(listening.share()):
        listen.apply_async(expires=5)


@shared_task(name="journal.plan_flow")
def plan_flow() -> None:
    """The market around old fills, a round at a time; one worker at it. After one that found
    nothing to do, for half a minute only fills that have just come are looked for."""
    with locks.held(PLANNER) as lock:
        if lock is None:
            return
        is_at_rest = resting.is_parked(PLANNER)
        stages = [FillFlow.Stage.TOTAL] if is_at_rest else list(rounds.FILLS_A_BATCH)
        if rounds.work_round(lambda: shutdown.is_set() or lock.is_lost, stages):
            resting.clear(PLANNER)
        elif not is_at_rest:
            resting.park(PLANNER, longest=PLANNER_RESTS)


@shared_task(name="journal.follow_wanted")
def follow_wanted() -> None:
    """What is held or watched is followed."""
    left_out = watching.follow_wanted()
    if left_out:
        log.warning("no room to follow", markets=len(left_out), first=str(left_out[0]))


@shared_task(name="journal.listen", acks_late=False)
def listen() -> None:
    """Hear the accounts' user streams; early-acknowledged, since the lease keeps it alive."""
    listening.listen(shutdown)


@shared_task(name="journal.stamp")
def stamp() -> None:
    """Order flow on fills and trades whose bars are there now; one round at a time, and after half
    a minute another task has the thread. What nobody looks at yet gets a round when nothing else
    is due."""
    until = monotonic() + STAMPING_SECONDS
    with locks.held(stamping.LOCK) as lock:
        while lock is not None and not lock.is_lost and not shutdown.is_set():
            if not stamping.stamp_due():
                _stamp_asleep(until)
                return
            if monotonic() > until:
                return


def _stamp_asleep(until: float) -> None:
    """Once a minute, much at once: fills near in time share what is read around them. Not while
    the planner is at work: it waits for whoever stamps."""
    if resting.is_parked(ASLEEP):
        return
    with locks.held(PLANNER) as lock:
        while lock is not None and not lock.is_lost and not shutdown.is_set():
            if not stamping.stamp_due(asleep=True):
                resting.park(ASLEEP)
                return
            if monotonic() > until:
                return


@shared_task(name="journal.settle_prices")
def settle_prices() -> None:
    """Fees of minutes that were open when they were valued get the minute's own price."""
    with locks.held("journal:settling") as lock:
        if lock is None:
            return
        try:
            settling.settle()
        except ExchangeError as error:
            log.warning("prices not settled", error=type(error).__name__)


@shared_task(name="journal.demo")
def keep_demo() -> None:
    """One demo is connected, read and reviewed; copies go to who asked for one, to guests ahead."""
    if not demo.is_possible():
        return
    with locks.held("journal:demos") as lock:
        if lock is None:
            return
        in_turn("demos", _connect, demo.give_wanted, guests.remove_old, guests.keep_ready)
    added = Preferences.objects.filter(demo=demo.ADDED).select_related("user")
    each("demo", added, _review, name_of=lambda chosen: chosen.user_id, parked=parked)


def _connect() -> None:
    for account in demo.prepare():
        check_soon(account)


def _review(chosen: Preferences) -> None:
    mine = ExchangeAccount.objects.visible_to(chosen.user).filter(label=LABEL)
    own = mine.filter(sync__finished_at__isnull=False).first()
    if own is None:
        return
    with locks.held(f"journal:demo:{own.pk}") as lock:
        # another worker may have been faster
        is_due = Preferences.objects.filter(pk=chosen.pk, demo=demo.ADDED).exists()
        if lock is not None and is_due:
            count = demo_notes.review_some(chosen.user, own)
            Preferences.objects.filter(pk=chosen.pk).update(demo=demo.TOLD)
            log.info("demo reviewed", trades=count)


@shared_task(name="journal.snapshot")
def snapshot() -> None:
    """What each wallet holds and is worth, as of today; the last of a day stays."""
    in_turn("snapshot", snapshots.take, cleaning.forget_orphans)


@shared_task(name="journal.look_at_upload", bind=True, max_retries=TURNS)
def look_at_upload(self: Task, upload_id: int) -> None:
    upload = Upload.objects.filter(pk=upload_id, state=Upload.State.WAITING).first()
    if upload is not None:
        with _in_turn(self, upload):
            importing.look(upload, 0)


@shared_task(name="journal.take_upload", bind=True, max_retries=TURNS)
def take_upload(self: Task, upload_id: int, user_id: int, digest: str) -> None:
    """Taken in only if it is still what was looked at."""
    upload = Upload.objects.filter(pk=upload_id, state=Upload.State.TAKING).first()
    if upload is not None:
        user = User.objects.filter(pk=user_id).first()
        with _in_turn(self, upload):
            importing.take_in(upload, user=user, digest=digest, patience=0)
        settle_soon()


@shared_task(name="journal.undo_upload", bind=True, max_retries=TURNS)
def undo_upload(self: Task, upload_id: int, user_id: int) -> None:
    upload = Upload.objects.filter(pk=upload_id, state=Upload.State.UNDOING).first()
    if upload is not None:
        user = User.objects.filter(pk=user_id).first()
        with _in_turn(self, upload):
            undoing.undo(upload, user=user, patience=0)
        settle_soon()


@contextmanager
def _in_turn(task: Task, upload: Upload) -> Iterator[None]:
    """One file of a user at a time, since each takes its share of the machine, and none while
    another door is at the account's history: the thread is free for others meanwhile."""
    try:
        with locks.held(f"journal:files:{upload.account.user_id}") as held:
            if held is None:
                exports.wait(upload, upload.state, [upload.state])
                raise Busy
            yield
    except Busy as busy:
        try:
            raise task.retry(exc=busy, countdown=TURN_SECONDS)
        except (Busy, Reject):  # too often, or the broker is away
            exports.give_up(upload)


def settle_soon() -> None:
    """Compute what is due now rather than with the next round; without a broker it is that."""
    try:
        settle_prices.delay_on_commit()
    except OperationalError as error:
        log.warning("not queued", error=type(error).__name__)


@shared_task(name="journal.compute_insight")
def compute_insight(part_id: int) -> None:
    keeping.compute(part_id)


def ask_insight(
    user: User, name: str, trade_filter: TradeFilter, chosen: Preferences
) -> keeping.Kept:
    """What is kept of a part; a worker is asked where that is not of the trades as they are now.
    Raises KeyError for an unknown part."""
    kept = keeping.ask(user, name, trade_filter, chosen)
    if kept.is_due:
        try:
            compute_insight.delay_on_commit(kept.part.pk)
        except OperationalError as error:
            log.warning("not queued", error=type(error).__name__)
    return kept
