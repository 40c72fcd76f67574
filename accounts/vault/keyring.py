"""Which key does what: states in the database, keys in files, and the two-phase rotation."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import KeyEncryptionKey, KeyHolder
from accounts.vault import keyfiles
from accounts.vault.holdings import Holding, all_holdings
from accounts.vault.keyfiles import KeyProblem
from lib import envelope
from lib.envelope import Binding, NotOurs
from lib.secret import Secret

log = structlog.get_logger(__name__)

State = KeyEncryptionKey.State
# GCM allows 2**32 random nonces a key; far below that a new one is due.
MANY_WRAPS = 2**28
TRIES = 5
HOLDER_SECONDS = 30


def seal(plain: Secret, binding: Binding) -> bytes:
    """Sealed with the primary key. Raises KeyProblem."""
    for _ in range(TRIES):
        key = KeyEncryptionKey.objects.filter(state=State.PRIMARY).first()
        if key is None:
            raise KeyProblem("no key seals: run `manage.py kek add` and `manage.py kek promote`")
        # counted first: a key that was demoted just now must not seal any more
        still = KeyEncryptionKey.objects.filter(pk=key.pk, state=State.PRIMARY)
        if still.update(wraps=F("wraps") + 1):
            if key.wraps > MANY_WRAPS:
                log.warning("key sealed very often, rotate it", key_id=key.pk)
            return envelope.seal(plain, binding, key.pk, _checked(key))
    raise KeyProblem("keys are promoted faster than they can seal: try again")


def unseal(sealed: bytes, binding: Binding) -> Secret:
    """Raises KeyProblem, envelope.NotOurs."""
    return envelope.unseal(bytes(sealed), binding, _usable)


def verify() -> None:
    """Every key that may be needed is there and is the right one. Raises KeyProblem."""
    for key in KeyEncryptionKey.objects.filter(state__in=[State.PRIMARY, State.ENABLED]):
        _checked(key)
    keyfiles.fingerprint(Secret("the pepper is there"))


# --- rotation -----------------------------------------------------------------------------------


def add() -> KeyEncryptionKey:
    """Phase one: a new key, or a file that lies in KEK_DIR already; it opens but does not seal."""
    known = set(KeyEncryptionKey.objects.values_list("pk", flat=True))
    waiting = [key_id for key_id in keyfiles.ids() if key_id not in known]
    key_id = waiting[0] if waiting else max([0, *known, *keyfiles.ids()]) + 1
    if not waiting:
        keyfiles.make(key_id)
    check = keyfiles.check_value(keyfiles.read(key_id))
    log.info("key added", key_id=key_id)
    return KeyEncryptionKey.objects.create(pk=key_id, state=State.ENABLED, check_value=check)


@transaction.atomic
def promote(key_id: int) -> None:
    """Phase two: this key seals from now on. Refused while a live process lacks its file."""
    key = _locked(key_id)
    if key.state not in {State.ENABLED, State.PRIMARY}:
        raise KeyProblem(f"key {key_id} is {key.state}: expected an enabled key")
    _checked(key)
    lacking = [holder.name for holder in live_holders() if key_id not in holder.key_ids]
    if lacking:
        raise KeyProblem(f"key {key_id} is not in KEK_DIR of {', '.join(lacking)} yet")
    KeyEncryptionKey.objects.filter(state=State.PRIMARY).update(state=State.ENABLED)
    KeyEncryptionKey.objects.filter(pk=key_id).update(state=State.PRIMARY)
    log.info("key promoted", key_id=key_id)


def rewrap(batch: int = 500) -> Iterator[tuple[int, int]]:
    """Seal everything anew with the primary key, row by row while the app runs; yields (done, all).
    Killed anywhere, the next run goes on; a row that changes meanwhile is looked at again.

    Raises KeyProblem at the end, naming rows that do not open.
    """
    broken: list[str] = []
    for holding in all_holdings():
        yield from _rewrap_all(holding, batch, broken)
    if broken:
        raise KeyProblem(f"these rows do not open and stay as they are: {', '.join(broken)}")


def _rewrap_all(holding: Holding, batch: int, broken: list[str]) -> Iterator[tuple[int, int]]:
    done, stuck = 0, set[Any]()
    total = _old_rows(holding).count()
    while rows := list(_old_rows(holding).exclude(pk__in=stuck).order_by("pk")[:batch]):
        for row in rows:
            try:
                done += _rewrap(holding, row)
            except (NotOurs, KeyProblem) as error:
                log.error("row does not open", row=str(row.pk), error=str(error))
                stuck.add(row.pk)
                broken.append(f"{row.pk} of {holding.name}")
        yield min(done, total), total


def _old_rows(holding: Holding) -> QuerySet[Any]:
    """Sealed with another key than the primary one of this moment."""
    primary = KeyEncryptionKey.objects.get(state=State.PRIMARY)
    return holding.rows().exclude(holding.of_key(primary.pk))


def rows_of(key_id: int) -> dict[str, int]:
    """How many rows of each table are sealed with a key."""
    counts = {h.name: h.rows().filter(h.of_key(key_id)).count() for h in all_holdings()}
    return {name: count for name, count in counts.items() if count}


@transaction.atomic
def disable(key_id: int) -> None:
    """It opens nothing any more. Refused while something is sealed with it."""
    key = _locked(key_id)
    if key.state == State.PRIMARY:
        raise KeyProblem(f"key {key_id} is the primary one: promote another first")
    if rows := rows_of(key_id):
        told = ", ".join(f"{count} {name}" for name, count in rows.items())
        raise KeyProblem(f"key {key_id} still seals {told}: run `manage.py kek rewrap`")
    KeyEncryptionKey.objects.filter(pk=key_id).update(state=State.DISABLED)
    log.info("key disabled", key_id=key_id)


@transaction.atomic
def destroy(key_id: int) -> None:
    """Its file goes for good; only a disabled key may."""
    key = _locked(key_id)
    if key.state != State.DISABLED:
        raise KeyProblem(f"key {key_id} is {key.state}: expected a disabled key")
    keyfiles.destroy(key_id)
    KeyEncryptionKey.objects.filter(pk=key_id).update(state=State.DESTROYED)
    log.info("key destroyed", key_id=key_id)


def ensure() -> None:
    """For the embedded mode: the first key, if there is none; else all have to be right."""
    if not KeyEncryptionKey.objects.exists():
        keyfiles.make_pepper()
        promote(add().pk)
    verify()


# --- who holds which files ----------------------------------------------------------------------


def report(name: str) -> None:
    """A process says which key files it sees; `promote` waits for all."""
    until = timezone.now() + timedelta(seconds=HOLDER_SECONDS)
    KeyHolder.objects.update_or_create(
        name=name, defaults={"key_ids": keyfiles.ids(), "until": until}
    )
    KeyHolder.objects.filter(until__lt=timezone.now() - timedelta(days=1)).delete()


def live_holders() -> list[KeyHolder]:
    return list(KeyHolder.objects.filter(until__gt=timezone.now()))


def _rewrap(holding: Holding, row: Any) -> int:
    """1 when this row is sealed with the primary key now."""
    old = holding.values(row)
    new = {}
    for field, sealed in old.items():
        plain = unseal(sealed, holding.binding(row, field))
        new[field] = seal(plain, holding.binding(row, field))
        if unseal(new[field], holding.binding(row, field)) != plain:
            raise KeyProblem(f"row {row.pk} would not open again: nothing was changed")
        plain.wipe()
    key_ids = {envelope.key_id_of(sealed) for sealed in new.values()}
    if len(key_ids) != 1:
        return 0  # another key was promoted in between: once more
    return holding.put(row, old, new, key_ids.pop())


def _usable(key_id: int) -> bytes:
    key = KeyEncryptionKey.objects.filter(pk=key_id).first()
    if key is None:
        raise KeyProblem(f"key {key_id} is not known: was its row restored?")
    if key.state not in {State.PRIMARY, State.ENABLED}:
        raise KeyProblem(f"key {key_id} is {key.state}")
    return _checked(key)


def _checked(key: KeyEncryptionKey) -> bytes:
    secret = keyfiles.read(key.pk)
    if keyfiles.check_value(secret) != bytes(key.check_value):
        raise KeyProblem(f"key file {key.pk} is not the key that sealed: put the right file back")
    return secret


def _locked(key_id: int) -> KeyEncryptionKey:
    key = KeyEncryptionKey.objects.select_for_update().filter(pk=key_id).first()
    if key is None:
        raise KeyProblem(f"expected the id of a key, was {key_id}: see `manage.py kek status`")
    return key
