"""A user's own exports from Binance, at the door: what was uploaded, what is wished with it, and
what has become of it. The work itself: `journal.services.importing`."""

import hashlib
from collections.abc import Collection
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.faults import NotAFile, fault
from journal.files.tables import GZIP, ZIP
from journal.files.zones import name_of, zone_given
from journal.models import Upload
from journal.models.uploads import FORGOTTEN_AFTER, SILENT_AFTER

MOST_BYTES = 20_000_000
# Less than 2,000 rows, which are read while the browser waits.
SMALL_BYTES = 150_000
# Zones that an export may be made in, for the choice.
ZONES = (
    "UTC",
    *(f"UTC{hours:+03}:00" for hours in range(-12, 15) if hours),
    "UTC-09:30",
    "UTC-03:30",
    "UTC+03:30",
    "UTC+04:30",
    "UTC+05:30",
    "UTC+05:45",
    "UTC+06:30",
    "UTC+09:30",
    "UTC+10:30",
)
State = Upload.State
NEVER = [State.WAITING, State.LOOKED, State.FAILED]
# Files that an account may have lying about without taking them in.
MOST_UNTAKEN = 5
COMPARED, COMPARED_SECONDS = "upload:%s:compared", 600


@transaction.atomic
def upload(*, account: ExchangeAccount, name: str, body: bytes, zone: str = "") -> Upload:
    """Kept for two hours unless it is taken in. Raises NotAFile."""
    if not body:
        raise NotAFile("empty")
    if len(body) > MOST_BYTES:
        raise NotAFile("too_large", most=MOST_BYTES // 1_000_000)
    digest = hashlib.sha256(body).hexdigest()
    before = Upload.objects.filter(account=account, digest=digest, state=State.TAKEN).first()
    if before is not None and before.taken_at is not None:
        raise NotAFile("taken_before", at=f"{before.taken_at:%Y-%m-%d %H:%M} UTC")
    name = "".join(sign for sign in name if sign.isprintable())
    untaken = Upload.objects.filter(account=account, state__in=NEVER).order_by("-created_at")
    surplus = list(untaken.values_list("pk", flat=True)[MOST_UNTAKEN - 1 :])
    Upload.objects.filter(pk__in=surplus).delete()
    return Upload.objects.create(
        account=account, name=name[-120:], body=body, digest=digest, zone=_zone(zone)
    )


def choose_zone(row: Upload, zone: str) -> Upload:
    """Looked at again with it. Raises NotAFile."""
    told = {"zone": _zone(zone), "preview": {}, "problem": {}}
    move(row, State.WAITING, [State.LOOKED, State.FAILED], **told)
    return row


def is_small(row: Upload) -> bool:
    head = bytes(row.body[:4])
    return len(row.body) <= SMALL_BYTES and head != ZIP and head[:2] != GZIP


def is_small_to_undo(row: Upload) -> bool:
    return row.rows_taken <= 2000


def tidy(account: ExchangeAccount) -> None:
    """Forgets what was never taken in, and says so where a worker died over its work."""
    now = timezone.now()
    mine = Upload.objects.filter(account=account)
    mine.filter(state__in=NEVER, changed_at__lt=now - FORGOTTEN_AFTER).delete()
    quiet = mine.filter(changed_at__lt=now - SILENT_AFTER).defer("body")
    silent = mine.filter(pk__in=[row.pk for row in quiet if not compared(row)])
    problem = fault("worker").as_json()
    silent.filter(state__in=[State.READING, State.TAKING]).update(
        state=State.FAILED, problem=problem
    )
    silent.filter(state=State.UNDOING).update(state=State.TAKEN, problem=problem)


def say_compared(row: Upload, count: int) -> None:
    """So many more rows are compared with what is known: told past the open transaction."""
    key = COMPARED % row.pk
    cache.set(key, cache.get(key, 0) + count, COMPARED_SECONDS)


def compared(row: Upload) -> int:
    count: int = cache.get(COMPARED % row.pk, 0) if row.is_at_work else 0
    return count


def forget_compared(row: Upload) -> None:
    cache.delete(COMPARED % row.pk)


def move(row: Upload, state: str, before: Collection[str], **more: Any) -> bool:
    """Where it still stands in one of `before`: two that are at one file at once do not undo each
    other's words. False where it does not; `row` is then as it is."""
    here = Upload.objects.filter(pk=row.pk, state__in=before)
    is_moved = bool(here.update(state=state, changed_at=timezone.now(), **more))
    if is_moved:
        for name, value in {"state": state, **more}.items():
            setattr(row, name, value)
    elif Upload.objects.filter(pk=row.pk).exists():
        row.refresh_from_db(fields=["state", "problem", "preview"])
    return is_moved


def is_still(row: Upload, states: Collection[str]) -> bool:
    """In the transaction of what is done with it, to whose end it stays so."""
    now = Upload.objects.select_for_update(no_key=True).filter(pk=row.pk).values_list("state")
    return (state := now.first()) is not None and state[0] in states


def wait(row: Upload, state: str, before: Collection[str]) -> None:
    """For its turn; its owner is told."""
    move(row, state, before, problem=fault("next").as_json())


def give_up(row: Upload) -> None:
    """Its turn has not come: back to where it was, with the reason."""
    _back(row, "busy")


def not_queued(row: Upload) -> None:
    """No worker will come: back to where it was, with the reason."""
    _back(row, "worker")


def _back(row: Upload, code: str) -> None:
    back = {State.TAKING: State.LOOKED, State.UNDOING: State.TAKEN}
    if not row.is_at_work:
        return  # somebody else was at it, and is done
    state = back.get(State(row.state), State.FAILED)
    move(row, state, [row.state], problem=fault(code).as_json())


def _zone(text: str) -> str:
    if not text:
        return ""
    zone = zone_given(text)
    if zone is None:
        raise NotAFile("zone_unknown", was=text)
    return name_of(zone)
