"""The one door into the audit trail: a row at the end of its owner's chain."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import SERVER, AuditChain, AuditEntry, CredentialUse, User


@dataclass(frozen=True)
class Broken:
    """A link of a chain that is not as it was written."""

    owner: int
    number: int
    what: str

    def __str__(self) -> str:
        whose = "the server" if self.owner == SERVER else f"user {self.owner}"
        return f"chain of {whose}, row {self.number}: {self.what}"


@transaction.atomic
def record(
    *, owner: User | None, action: str, subject: str, actor: User | None = None, why: str = ""
) -> AuditEntry:
    """`owner` None is the server's own chain. Never with a value or a secret in it.

    Rows of one owner are written one after the other: the chain's row is locked until the
    transaction ends.
    """
    number = SERVER if owner is None else owner.pk
    AuditChain.objects.bulk_create([AuditChain(pk=number)], ignore_conflicts=True)
    chain = AuditChain.objects.select_for_update().get(pk=number)
    entry = AuditEntry(
        at=timezone.now(),
        actor=actor,
        owner=owner,
        number=chain.length + 1,
        action=action,
        subject=subject[:64],
        why=why[:200],
        previous=chain.digest,
    )
    entry.digest = entry.digest_now()
    entry.save(force_insert=True)
    chain.length, chain.digest = entry.number, entry.digest
    chain.save(force_update=True)
    return entry


def record_use(*, owner: User, subject: str, why: str, actor: User | None = None) -> None:
    """A sealed key was opened: apart from the chain, since machines do it all day."""
    CredentialUse.objects.create(owner=owner, actor=actor, subject=subject, why=why)


def verify() -> Iterator[Broken]:
    """Every link that was changed, is missing, or stands in another's place."""
    known = dict(AuditChain.objects.values_list("owner_number", "digest"))
    lengths = dict(AuditChain.objects.values_list("owner_number", "length"))
    owners = {owner or SERVER for owner in _owners()} | set(known)
    for owner in sorted(owners):
        yield from _verify_chain(owner, lengths.get(owner, 0), known.get(owner, ""))


def forget(owner: User) -> tuple[int, str]:
    """The owner's chain goes, as it goes in no other way. Returns its length and last digest."""
    chain = AuditChain.objects.filter(pk=owner.pk).first()
    length, digest = (chain.length, chain.digest) if chain is not None else (0, "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_forget_audit(%s)", [owner.pk])
    return length, digest


def _owners() -> set[int | None]:
    return set(AuditEntry.objects.order_by().values_list("owner_id", flat=True).distinct())


def _verify_chain(owner: int, length: int, digest: str) -> Iterator[Broken]:
    expected, previous = 1, ""
    rows = AuditEntry.objects.filter(owner_id=None if owner == SERVER else owner)
    for entry in rows.order_by("number").iterator(chunk_size=1000):
        if entry.number != expected:
            yield Broken(owner, expected, f"missing (row {entry.number} follows)")
        elif entry.previous != previous:
            yield Broken(owner, entry.number, "does not follow the row before it")
        if entry.digest != entry.digest_now():
            yield Broken(owner, entry.number, "changed since it was written")
        expected, previous = entry.number + 1, entry.digest
    if expected - 1 != length:
        yield Broken(owner, length, f"expected {length} rows, the last is {expected - 1}")
    elif previous != digest:
        yield Broken(owner, length, "is not the row that the chain ended with")
