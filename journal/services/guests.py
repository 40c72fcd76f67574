"""Guests of a simulated server: fresh ordinary users whose demo data is there before anybody asks.

A worker keeps a few ready (`keep_ready`); a visitor gets one of them (`welcome`), or, when all are
taken, one that is copied on the spot. `remove_old` ends them after a day."""

import secrets
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import sign_up
from accounts.models import ExchangeAccount, User
from accounts.services import erasing
from journal.models import Guest, Preferences
from journal.models.guests import STAYS
from journal.selectors.preferences import preferences_of
from journal.services import demo
from journal.services.displaying import choose_zone
from lib.parking import Parking
from market.jobs.guarding import each

log = structlog.get_logger(__name__)

PREFIX = "guest-"
MOST = 20
READY = 2
parked = Parking()
# one at a time counts, takes and makes guests
LOCK = 0x6775657374


class NoRoom(Exception):
    """As many guests as may be are here."""


def welcome(*, zone: str = "") -> User:
    """A guest for a visitor, with the zone of the browser. Raises NoRoom."""
    with transaction.atomic():
        _one_at_a_time()
        if Guest.objects.filter(taken_at__isnull=False).count() >= MOST:
            raise NoRoom
        waiting = Guest.objects.filter(taken_at=None)
        ready = waiting.filter(user__preferences__demo=demo.TOLD)
        guest = ready.first() or waiting.first() or _make()
        guest.taken_at = timezone.now()
        guest.save(update_fields=["taken_at"])
        choose_zone(user=guest.user, zone=zone)
    if preferences_of(guest.user).demo == demo.WANTED:
        demo.give(guest.user)
    log.info("guest welcomed", user=guest.user_id)
    return guest.user


def are_welcome() -> bool:
    """Where everybody may make an account, and nothing is real."""
    return demo.is_possible() and sign_up.is_open()


def keep_ready() -> int:
    """Make guests ahead, as far as there is room; how many were made. Not before the original's
    order flow is known."""
    if not _are_wanted():
        return 0
    source = demo.original()
    if source is None or not demo.has_flow(source):
        return 0
    made = 0
    for _number in range(READY):
        with transaction.atomic():
            _one_at_a_time()
            if not _are_wanted():
                break
            guest = _make()
        if not demo.give(guest.user):
            guest.user.delete()
            break
        made += 1
    return made


def _are_wanted() -> bool:
    waiting = Guest.objects.filter(taken_at=None).count()
    return waiting < READY and Guest.objects.count() < MOST


def remove_old(now: datetime | None = None) -> int:
    """Guests whose day is over, and those made ahead whose data has become old."""
    before = (now or timezone.now()) - STAYS
    over = Q(taken_at__lt=before) | Q(taken_at=None, made_at__lt=before)
    guests = Guest.objects.filter(over).select_related("user")
    return len(each("guest", guests, remove, name_of=lambda guest: guest.pk, parked=parked))


def remove(guest: Guest) -> None:
    """As anybody who asks to be erased; later, while something stands against it (trading that is
    on ends by itself)."""
    user = guest.user
    accounts = list(ExchangeAccount.objects.filter(user=user))
    try:
        erasing.ask(user, typed=user.username)
    except erasing.CannotErase as error:
        log.warning("guest not removed yet", user=user.pk, error=str(error))
        return
    erasing.erase(user.pk)
    demo.close_at_simulator(accounts)
    log.info("guest removed")


def _make() -> Guest:
    """A user without a password: nobody signs in as it but the one that it is given to."""
    name = f"{PREFIX}{secrets.token_hex(4)}"
    user = User.objects.create_user(name, f"{name}@tapelog.invalid")
    Preferences.objects.create(user=user, demo=demo.WANTED)
    return Guest.objects.create(user=user)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
