"""The audit trail: a chain for each owner that only grows, and tells when it was touched."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseError
from django.db import connection, transaction

from accounts.models import AuditChain, AuditEntry, CredentialUse, User
from accounts.services import auditing


def three_rows(owner: User) -> list[AuditEntry]:
    return [
        auditing.record(owner=owner, actor=owner, action=f"act {n}", subject="row")
        for n in range(3)
    ]


def without_trigger(statement: str, values: list[int]) -> None:
    """As somebody with the database's own powers would."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER audit_is_append_only")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER audit_is_append_only")


def verified() -> str:
    output = StringIO()
    try:
        call_command("audit", "verify", stdout=output)
    except CommandError as error:
        output.write(f"exit: {error}")
    return output.getvalue()


def test_each_row_holds_the_digest_of_the_one_before_it(alice: User, bob: User) -> None:
    first, second, third = three_rows(alice)
    auditing.record(owner=bob, action="of bob", subject="row")
    assert (first.previous, second.previous, third.previous) == ("", first.digest, second.digest)
    assert AuditEntry.objects.get(owner=bob).number == 1
    assert "2 chains with 4 rows are whole" in verified()


@pytest.mark.parametrize(
    "change", [lambda row: row.save(), lambda row: row.delete(), lambda row: wipe()]
)
def test_no_row_is_changed_or_deleted(alice: User, change: object) -> None:
    row = three_rows(alice)[1]
    row.why = "otherwise"
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        change(row)  # type: ignore[operator]
    assert AuditEntry.objects.filter(owner=alice, why="").count() == 3


def wipe() -> None:
    AuditEntry.objects.all().delete()


def test_a_changed_row_is_told(alice: User) -> None:
    row = three_rows(alice)[1]
    without_trigger("UPDATE accounts_auditentry SET why = 'x' WHERE id = %s", [row.pk])
    assert f"chain of user {alice.pk}, row 2: changed since it was written" in verified()
    assert "exit: 1 links" in verified()


def test_a_missing_row_is_told(alice: User) -> None:
    row = three_rows(alice)[1]
    without_trigger("DELETE FROM accounts_auditentry WHERE id = %s", [row.pk])
    assert "row 2: missing" in verified()


def test_a_row_cut_off_the_end_is_told(alice: User) -> None:
    row = three_rows(alice)[2]
    without_trigger("DELETE FROM accounts_auditentry WHERE id = %s", [row.pk])
    assert "expected 3 rows, the last is 2" in verified()


def test_swapped_rows_are_told(alice: User) -> None:
    _, second, third = three_rows(alice)
    swap = "UPDATE accounts_auditentry SET number = %s WHERE id = %s"
    without_trigger(swap, [99, second.pk])
    without_trigger(swap, [2, third.pk])
    without_trigger(swap, [3, second.pk])
    assert "row 2: " in verified()
    assert "row 3: " in verified()


def test_a_chain_goes_with_its_owner_only(alice: User, bob: User) -> None:
    three_rows(alice)
    last = three_rows(bob)[-1]
    assert auditing.forget(bob) == (3, last.digest)
    assert set(AuditEntry.objects.values_list("owner_id", flat=True)) == {alice.pk}
    assert not AuditChain.objects.filter(pk=bob.pk).exists()
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_the_server_has_a_chain_of_its_own(db: None) -> None:
    auditing.record(owner=None, action="user erased", subject="7")
    auditing.record(owner=None, action="user erased", subject="8")
    assert "1 chains with 2 rows are whole" in verified()


def test_what_machines_do_all_day_is_apart(alice: User) -> None:
    auditing.record_use(owner=alice, subject="account", why="check")
    assert (AuditEntry.objects.count(), CredentialUse.objects.count()) == (0, 1)
